"""``pawsight feedback``: the way from what was said to a table that is trained on."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pawsight.records.keeping import Bounds
from pawsight.records.pictures import digest_of
from pawsight.records.place import find
from pawsight.records.record import Said
from pawsight.records.recorder import Recorder
from tests.command import run
from tests.pictures import picture
from tests.records.answers import PATIENCE, put, record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture
def recorder(url: str) -> Iterator[Recorder]:
    place = find(url)
    assert place
    recorder = Recorder(place, Bounds())
    recorder.start()
    yield recorder
    recorder.close()


def say(
    recorder: Recorder,
    file: bytes,
    label: str,
    *,
    send: bool = True,
    model: str = "tiny",
    classes: tuple[str, str] = ("cat", "dog"),
) -> str:
    given = record(file, model=model, classes=classes)
    put(recorder, given)
    said = Said(given.id, label, None, given.digest if send else None)
    recorder.say(said, file if send else None).result(PATIENCE)
    return given.digest


def rows(table: Path) -> list[tuple[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return [(each["path"], each["label"]) for each in csv.DictReader(file)]


def test_what_was_said_is_a_table_of_the_pictures(
    recorder: Recorder, url: str, tmp_path: Path
) -> None:
    red, blue = picture("red"), picture("blue", "PNG")
    for label in ("cat", "dog"):  # the last one holds
        say(recorder, red, label)
    say(recorder, blue, "neither")
    say(recorder, picture("green"), "cat", send=False)
    say(recorder, picture("purple"), "wrong")
    table, images = tmp_path / "table.csv", tmp_path / "images"
    done = run("feedback", "export", "--output", table, "--images", images, "--records", url)
    assert done.exit_code == 0
    assert "2 pictures" in done.stdout
    assert "left out: 1 without their picture" in done.stderr
    assert "left out: 1 said to be wrong" in done.stderr
    expected = {(f"{digest_of(red)}.jpg", "dog"), (f"{digest_of(blue)}.png", "neither")}
    assert set(rows(table)) == expected
    assert {each.read_bytes() for each in images.iterdir()} == {red, blue}


def test_training_takes_the_table_with_and_without_a_folder(
    recorder: Recorder, url: str, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    from pawsight.data.table import read_table

    for number, label in enumerate(("cat", "dog", "neither")):
        say(recorder, picture("red", size=(60 + number, 60)), label)
    table, images = tmp_path / "table.csv", tmp_path / "images"
    for home in (None, images):
        options = ("--images", home, "--overwrite") if home else ()
        done = run("feedback", "export", "--output", table, "--records", url, *options)
        assert done.exit_code == 0
        read = read_table(table, home, min_per_class=1)
        assert isinstance(read.frame, pandas.DataFrame)
        assert sorted(read.frame["label"]) == ["cat", "dog", "neither"]
        assert not read.problems


def test_what_was_said_of_a_model_of_other_classes_is_not_in_the_table(
    recorder: Recorder, url: str, tmp_path: Path
) -> None:
    red, blue, green = picture("red"), picture("blue"), picture("green")
    wild = {"model": "wild", "classes": ("lion", "wolf")}
    say(recorder, red, "cat")
    say(recorder, red, "neither", **wild)  # type: ignore[arg-type] # neither a lion nor a wolf
    say(recorder, blue, "dog")
    say(recorder, green, "lion", **wild)  # type: ignore[arg-type]
    table, images = tmp_path / "table.csv", tmp_path / "images"
    command = ("feedback", "export", "--output", table, "--images", images, "--records", url)
    refused = run(*command)
    assert refused.exit_code == 2
    assert "name one with --model: tiny (cat, dog); wild (lion, wolf)" in refused.stderr
    assert not table.exists()
    pets = {(f"{digest_of(red)}.jpg", "cat"), (f"{digest_of(blue)}.jpg", "dog")}
    for model in ("tiny", "auto"):  # as the service called it; as this machine knows one
        done = run(*command, "--model", model, "--overwrite")
        assert done.exit_code == 0, done.stderr
        assert set(rows(table)) == pets
        assert "left out: 1 about other classes than cat, dog" in done.stderr
    assert run(*command, "--model", "wild", "--overwrite").exit_code == 0
    assert set(rows(table)) == {
        (f"{digest_of(red)}.jpg", "neither"), (f"{digest_of(green)}.jpg", "lion")
    }  # fmt: skip
    unknown = run(*command, "--model", "breeds", "--overwrite")
    assert unknown.exit_code == 2
    assert "feedback is about tiny (cat, dog); wild (lion, wolf)" in unknown.stderr


def test_a_file_that_is_there_is_kept(recorder: Recorder, url: str, tmp_path: Path) -> None:
    say(recorder, picture("red"), "cat")
    table, images = tmp_path / "diary.csv", tmp_path / "images"
    table.write_text("years of work")
    command = ("feedback", "export", "--output", table, "--images", images, "--records", url)
    refused = run(*command)
    assert refused.exit_code == 2
    assert "is there already: --overwrite keeps it as a backup" in refused.stderr
    assert table.read_text() == "years of work"
    assert not images.exists()
    done = run(*command, "--overwrite")
    assert done.exit_code == 0, done.output
    assert "diary.csv.backup-1' now" in done.stderr
    assert (tmp_path / "diary.csv.backup-1").read_text() == "years of work"
    assert [label for _, label in rows(table)] == ["cat"]
    assert "is no file" in run("feedback", "export", "--output", images, "--records", url).stderr
    nowhere = run("feedback", "export", "--output", tmp_path / "no" / "t.csv", "--records", url)
    assert "there is no folder" in nowhere.stderr


def test_the_queue_lists_what_teaches_most(recorder: Recorder, url: str) -> None:
    sure, unsure = record(b"1", 0.99), record(b"2", 0.55)
    put(recorder, sure, unsure, record(b"3", 0.9), record(b"3", 0.1, model="second"))
    done = run("feedback", "queue", "--records", url, "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["disagree"] for each in told] == [True, False, False]
    assert [each["id"] for each in told[1:]] == [unsure.id, sure.id]
    assert {each["label"] for each in told[0]["answers"]} == {"cat", "dog"}
    shown = run("feedback", "queue", "--records", url, "--limit", 2)
    assert unsure.id in shown.stdout
    assert sure.id not in shown.stdout
    assert "not kept" in shown.stdout


def test_the_queue_of_one_model_has_what_others_of_its_classes_answered(
    recorder: Recorder, url: str
) -> None:
    tame = record(b"1", 0.9, model="pets")
    wild = record(b"2", 0.6, model="wild", classes=("lion", "wolf"))
    put(recorder, tame, wild)

    def ids(model: str) -> list[str]:
        done = run("feedback", "queue", "--records", url, "--json", "--model", model)
        return [json.loads(line)["id"] for line in done.stdout.splitlines()]

    assert (ids("custom"), ids("pets"), ids("wild")) == ([tame.id], [tame.id], [wild.id])
    unknown = run("feedback", "queue", "--records", url, "--model", "nobody")
    assert unknown.exit_code == 2
    assert "pets (cat, dog); wild (lion, wolf)" in unknown.stderr


def test_the_queue_shows_labels_and_paths_as_they_are(recorder: Recorder, url: str) -> None:
    """What stands in brackets is no colour for a terminal."""
    given = record(b"1", 0.9, classes=("[red]", "[/tom]"))
    put(recorder, given)
    shown = run("feedback", "queue", "--records", url)
    assert "tiny@1: [red]" in shown.stdout


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_table_is_not_exported_to_what_is_open_already(
    recorder: Recorder, url: str, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """Nor is such a name given to a backup, where it leads to a file."""
    say(recorder, picture("red"), "dog")
    with (tmp_path / "there.csv").open("w") as there:
        for name in (f"/dev/fd/{there.fileno()}", f"/proc/self/fd/{there.fileno()}", "link"):
            output = Path(name)
            if name == "link":  # as /dev/stdout is one
                output = tmp_path / name
                output.symlink_to(f"/proc/self/fd/{there.fileno()}")
            done = run("feedback", "export", "--records", url, "--output", output, *more)
            assert done.exit_code == 2
            assert "is no file: name a new one" in done.stderr
    assert {each.name for each in tmp_path.glob("*.csv*")} == {"there.csv"}
    assert output.is_symlink()


def test_where_nothing_is_recorded_it_is_said(tmp_path: Path) -> None:
    nothing = f"sqlite:///{tmp_path / 'nothing.db'}"
    for records, words in (
        (nothing, "nothing is recorded in"),
        ("off", "records are off"),
        ("mysql://there", "it must be `sqlite`"),
    ):
        done = run("feedback", "queue", "--records", records)
        assert done.exit_code == 2
        assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"dear reader, " * 400)
    done = run("feedback", "queue", "--records", f"sqlite:///{tmp_path / 'records.db'}")
    assert done.exit_code == 2
    assert "no SQLite database" in done.stderr


def test_the_database_of_another_program_is_said_to_be_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "records.db")) as connection:
        connection.execute("CREATE TABLE answers (question TEXT)")
    done = run("feedback", "queue", "--records", f"sqlite:///{tmp_path / 'records.db'}")
    assert done.exit_code == 2
    assert "holds tables of another program" in done.stderr
