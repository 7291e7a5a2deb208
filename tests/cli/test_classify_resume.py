"""Runs that end too early, and those that go on with them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any, Literal

import pytest

from pawsight.bulk.answers import read_answers
from pawsight.bulk.items import as_path
from pawsight.bulk.sinks import Format
from tests.command import run
from tests.drawn import draw
from tests.pictures import picture

PATIENCE = 120  # seconds
# Who starts the tests in the background of a shell has them ignore Ctrl-C.
CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from pawsight.cli import main; main()"
)
KINDS: list[Format] = ["jsonl", "csv", "parquet"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        draw(("cat", "dog")[number % 2], number).save(folder / f"{number}.png")
    return folder


def rows(file: Path, kind: Format = "jsonl") -> list[dict[str, Any]]:
    return list(read_answers(file, kind))


def names(file: Path, kind: Format = "jsonl") -> list[str]:
    return [Path(row["path"]).name for row in rows(file, kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_new_is_answered_and_nothing_is_lost(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format
) -> None:
    file = tmp_path / f"answers.{kind}"
    command = ("classify", pictures, "--model", trained, "--output", file, "--resume", "--summary")
    first = run(*command)  # nothing to go on with: it begins
    assert first.exit_code == 0, first.stderr
    assert "6 files, 0 errors; cat 3, dog" in first.stderr
    before = rows(file, kind)
    draw("cat", 9).save(pictures / "0a.png")
    again = run(*command)
    assert "7 files, 0 errors" in again.stderr
    assert rows(file, kind)[:6] == before
    assert names(file, kind) == [f"{n}.png" for n in range(6)] + ["0a.png"]
    assert sorted(each.name for each in tmp_path.glob("answers*")) == [file.name]


@pytest.mark.parametrize("kind", KINDS)
def test_what_changed_is_answered_again_once(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format
) -> None:
    file = tmp_path / f"answers.{kind}"
    command = ("classify", pictures, "--model", trained, "--output", file)
    (pictures / "bad.png").write_bytes(b"this is text")
    assert run(*command).exit_code == 1
    draw("dog", 20).save(pictures / "0.png")
    (pictures / "1.png").unlink()
    done = run(*command, "--resume")
    assert "pawsight: 1 file that changed since: asked again\n" in done.stderr
    assert "1 of 7 could not be used" in done.stderr  # said again, though not tried again
    kept = ["1.png", "2.png", "3.png", "4.png", "5.png", "bad.png"]
    assert names(file, kind) == [*kept, "0.png"]
    assert rows(file, kind)[-1]["label"] == "dog"


@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_was_cut_short_is_gone_on_with_once_it_is_whole(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format, ending: Literal["zip", "tar"]
) -> None:
    archive = tmp_path / f"album.{ending}"
    shutil.make_archive(str(tmp_path / "album"), ending, pictures)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    file = tmp_path / f"answers.{kind}"
    command = ("classify", archive, "--model", trained, "--output", file, "--resume", "--summary")
    cut = run(*command)
    assert cut.exit_code == 1
    assert ", 1 error;" in cut.stderr
    *before, last = rows(file, kind)
    assert (last["path"], last["label"]) == (str(archive), None)
    assert "the archive is cut short" in last["error"]
    assert 0 < len(before) < 6
    assert run(*command).exit_code == 1  # still
    assert rows(file, kind) == [*before, last]
    archive.write_bytes(whole)
    done = run(*command)
    assert done.exit_code == 0, done.stderr
    assert "6 files, 0 errors" in done.stderr
    assert sorted(names(file, kind)) == [f"{n}.png" for n in range(6)]
    assert rows(file, kind)[: len(before)] == before


def test_another_setting_answers_all_again_and_says_so(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    file = tmp_path / "answers.jsonl"
    command = ("classify", pictures, "--model", trained, "--output", file)
    run(*command)
    done = run(*command, "--resume", "--may-lose", "0")
    assert "6 records of another model or setting: what is found is asked again" in done.stderr
    assert names(file) == [f"{n}.png" for n in range(6)]
    assert {row["may_lose"] for row in rows(file)} == {0.0}


@pytest.mark.parametrize("kind", KINDS)
def test_what_another_model_said_of_pictures_elsewhere_stays(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format
) -> None:
    file = tmp_path / f"answers.{kind}"
    run("classify", pictures, "--model", trained, "--output", file)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    draw("dog", 20).save(elsewhere / "new.png")
    (pictures / "0.png").rename(elsewhere / "0.png")
    before = rows(file, kind)
    run("classify", elsewhere, "--model", "custom", "--output", file, "--resume")
    after = rows(file, kind)
    assert after[: len(before)] == before
    assert [str(row["model"]).split("@")[0] for row in after[len(before) :]] == ["custom"] * 2
    run("classify", pictures, "--model", "custom", "--output", file, "--resume")
    assert len(rows(file, kind)) == len(before) + 2


def test_what_could_not_be_read_is_tried_again(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    file = tmp_path / "answers.jsonl"
    away = tmp_path / "away.png"
    command = ("classify", pictures, away, "--model", trained, "--output", file, "--resume")
    assert "1 of 7 could not be used" in run(*command).stderr
    draw("cat", 30).save(away)
    done = run(*command, "--may-lose", "0")
    assert done.exit_code == 0, done.stderr
    assert (
        "6 records of another model or setting, 1 record of what could not be read, or was too "
        "large: what"
    ) in done.stderr
    assert [row["error"] for row in rows(file)] == [None] * 7


def test_what_was_too_large_is_asked_again_once_the_limit_is_another(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    file = tmp_path / "answers.jsonl"
    draw("cat", 31).resize((300, 200)).save(pictures / "large.png")
    command = ("classify", pictures, "--model", trained, "--output", file, "--resume")
    assert "1 of 7 could not be used" in run(*command, "--max-pixels", "50000").stderr
    assert rows(file)[-1]["error"] == "too large: 300×200 pixels, limit 50 000"
    assert "asked again" not in run(*command, "--max-pixels", "50000").stderr
    for limit in ("--max-pixels", "59999"), ("--max-bytes", "10"):
        done = run(*command, *limit)
        words = "1 record of what could not be read, or was too large: what is found is asked again"
        assert words in done.stderr
        assert "1 of 7 could not be used" in done.stderr
    assert rows(file)[-1]["error"].endswith("bytes, limit 10")
    assert run(*command).exit_code == 0
    assert [row["error"] for row in rows(file)] == [None] * 7


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_limits_hold_in_archives_too(
    trained: Path, pictures: Path, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "answers.jsonl"
    shutil.make_archive(str(tmp_path / "album"), kind, pictures)
    sizes = sorted(each.stat().st_size for each in pictures.iterdir())
    limit = sizes[2]
    command = (
        "classify", tmp_path / f"album.{kind}", "--model", trained, "--output", file, "--resume",
    )  # fmt: skip
    run(*command, "--max-bytes", limit)
    errors = [row["error"] for row in rows(file) if row["error"]]
    assert len(errors) == sum(size > limit for size in sizes) > 0
    assert all(each.startswith("too large: ") for each in errors)
    assert "asked again" not in run(*command, "--max-bytes", limit).stderr
    assert run(*command, "--max-bytes", sizes[-1]).exit_code == 0
    assert [row["error"] for row in rows(file)] == [None] * 6


def test_archives_and_lists_are_gone_on_with_too(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    from tests.bulk.test_archives import make_zip

    make_zip(tmp_path / "album.zip")
    (tmp_path / "list.txt").write_text(f"{pictures / '0.png'}\n{pictures / '1.png'}\n")
    file = tmp_path / "answers.jsonl"
    command = ("classify", tmp_path / "album.zip", tmp_path / "list.txt", "--model", trained)
    assert run(*command, "--output", file).exit_code == 0
    before = file.read_bytes()
    assert run(*command, "--output", file, "--resume").exit_code == 0
    assert file.read_bytes() == before
    assert names(file) == ["a.jpg", "b.PNG", "0.png", "1.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("ending", ["tar", "zip"])
def test_files_of_one_name_in_an_archive_are_answered_once_each(
    trained: Path, pictures: Path, tmp_path: Path, ending: str
) -> None:
    source, file = tmp_path / f"album.{ending}", tmp_path / "answers.jsonl"
    members = [pictures / "0.png", pictures / "1.png"]
    if ending == "zip":
        with zipfile.ZipFile(source, "w") as packed:
            for each in members:
                packed.write(each, "a.png")
    else:
        with tarfile.open(source, "w") as archive:
            for each in members:
                archive.add(each, "a.png")
    command = ("classify", source, "--model", trained, "--output", file)
    assert run(*command).exit_code == 0
    before = rows(file)
    assert [Path(row["path"]).name for row in before] == ["a.png", "a.png (2)"]
    assert [row["size"] for row in before] == [each.stat().st_size for each in members]
    again = run(*command, "--resume")
    assert (again.exit_code, again.stderr) == (0, "")
    assert rows(file) == before


def test_a_name_of_raw_bytes_and_its_written_form_have_a_record_each(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    folder, file = tmp_path / "album", tmp_path / "answers.jsonl"
    folder.mkdir()
    for number, name in enumerate((os.fsdecode(b"\xe9.png"), r"\xe9.png", r"\x5cxe9.png")):
        shutil.copy(pictures / f"{number}.png", folder / name)
    command = ("classify", folder, "--model", trained, "--output", file)
    assert run(*command).exit_code == 0
    before = rows(file)
    assert len({row["path"] for row in before}) == 3
    for row in before:
        assert as_path(row["path"]).stat().st_size == row["size"]
    again = run(*command, "--resume")
    assert (again.exit_code, again.stderr) == (0, "")
    assert rows(file) == before


@pytest.mark.parametrize("ending", ["csv", "zip"])
def test_a_list_or_an_archive_that_was_broken_leaves_no_record_once_it_is_mended(
    trained: Path, pictures: Path, tmp_path: Path, ending: str
) -> None:
    from tests.zips import zipped

    source, file = tmp_path / f"source.{ending}", tmp_path / "answers.csv"
    source.write_text(f"name\n{pictures / '0.png'}\n")
    command = ("classify", source, pictures / "1.png", "--model", trained, "--output", file)
    assert run(*command).exit_code == 1
    assert names(file, "csv") == [source.name, "1.png"]
    assert run(*command, "--resume").exit_code == 1  # still
    assert sorted(names(file, "csv")) == ["1.png", source.name]
    if ending == "csv":
        source.write_text(f"path\n{pictures / '0.png'}\n")
    else:
        source.write_bytes(zipped({"0.png": (pictures / "0.png").read_bytes()}))
    done = run(*command, "--resume")
    assert done.exit_code == 0, done.stderr
    assert names(file, "csv") == ["1.png", "0.png"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_named_twice_is_answered_once(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format
) -> None:
    file, first = tmp_path / f"answers.{kind}", pictures / "0.png"
    overlapping = (first, pictures, f"{pictures}/./0.png", f"{pictures}/[01].png")
    command = ("classify", *overlapping, "--model", trained, "--output", file, "--resume")
    assert run(*command, "--summary").stderr.count("6 files, 0 errors") == 1
    assert names(file, kind) == [f"{n}.png" for n in range(6)]
    draw("dog", 20).save(first)
    done = run(*command)
    assert "1 file that changed since: asked again" in done.stderr
    assert names(file, kind) == [*(f"{n}.png" for n in range(1, 6)), "0.png"]
    assert "6 files, 0 errors" in run(*command, "--may-lose", "0", "--summary").stderr
    assert names(file, kind) == [f"{n}.png" for n in range(6)]


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_in_the_middle_goes_on(
    trained: Path, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "00000.jpg").write_bytes(picture("red"))
    for number in range(1, 5_000):
        os.link(folder / "00000.jpg", folder / f"{number:05}.jpg")
    file = tmp_path / "answers.csv"
    journal = tmp_path / "answers.csv.journal"
    command = ("classify", folder, "--model", trained, "--output", file)
    process = start(*command)
    deadline = time.monotonic() + PATIENCE
    while not journal.exists() or journal.stat().st_size < 100_000:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(how)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert not file.exists()  # nothing that looks whole and is not
    if how == signal.SIGINT:
        assert said == f"pawsight: stopped; --resume goes on with '{file}'\n"
    refused = run(*command)
    assert refused.exit_code == 2
    assert "was broken off: --resume goes on with it" in refused.stderr
    assert "there already" not in refused.stderr
    assert run(*command, "--resume").exit_code == 0
    found = names(file, "csv")
    assert len(found) == 5_000
    assert found == sorted(set(found))
    assert not journal.exists()


def test_an_output_that_is_not_ours_is_refused_and_one_that_is_kept(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    for kind in KINDS:
        file = tmp_path / f"theirs.{kind}"
        file.write_text("my diary\n")
        command = ("classify", pictures, "--model", trained, "--output", file)
        done = run(*command, "--resume")
        assert done.exit_code == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert file.read_text() == "my diary\n"
        done = run(*command, "--overwrite")
        assert done.exit_code == 0, done.stderr
        assert (tmp_path / f"theirs.{kind}.backup-1").read_text() == "my diary\n"
        assert len(rows(file, kind)) == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume"], "name it with --output"),
        (["--resume", "--overwrite", "--output", "x.csv"], "choose one"),
        (["--resume", "--output", "x.txt", "--format", "table"], "cannot be gone on with"),
        (["--output", "x.xlsx"], "ends in none of .jsonl, .csv, .parquet"),
        (["--output", "x.csv", "--format", "jsonl"], "contradict each other"),
        (["--output", "/dev/null", "--overwrite"], "--format"),
        (["--output", "/dev/null", "--overwrite", "--format", "csv"], "is no file"),
        (["--partition", "4"], "is about --ray"),
    ],
)
def test_what_makes_no_sense_is_said(
    trained: Path, pictures: Path, arguments: list[str], words: str
) -> None:
    done = run("classify", pictures, "--model", trained, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_record_is_whole_json(trained: Path, pictures: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    run("classify", pictures, "--model", trained, "--output", file)
    for line in file.read_text().splitlines():
        assert json.loads(line)["decided_by"]


def test_two_runs_do_not_write_to_one_file(trained: Path, pictures: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    output = tmp_path / "answers.jsonl"
    with output.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for option in ("--resume", "--overwrite"):
            refused = run("classify", pictures, "--model", trained, "--output", output, option)
            assert refused.exit_code == 2
            assert "another run is writing" in refused.stderr
    assert [each for each in tmp_path.iterdir() if "backup" in each.name] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fills_up_ends_it_in_words_and_resume_goes_on(
    trained: Path, pictures: Path, tmp_path: Path, kind: Format
) -> None:
    """The limit of a file's size stands for the disk's."""
    for number in range(6, 200):
        os.link(pictures / f"{number % 6}.png", pictures / f"{number}.png")
    output = tmp_path / f"answers.{kind}"
    command = ("classify", pictures, "--model", trained, "--output", output, "--resume")
    small = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); {CODE}"
    full = subprocess.run(
        [sys.executable, "-c", small, *map(str, command)], capture_output=True, text=True
    )
    assert full.returncode == 2
    assert f"cannot write {str(output)!r}: File too large; --resume goes on" in full.stderr
    assert "Traceback" not in full.stderr
    again = run(*command)
    assert again.exit_code == 0, again.stderr
    assert sorted(names(output, kind)) == sorted(each.name for each in pictures.iterdir())


def test_files_that_are_no_pictures_or_vanish_are_their_own_records(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "empty.jpg").touch()
    with (pictures / "huge.jpg").open("wb") as huge:
        huge.truncate(500_000_000)
    (pictures / "gone.jpg").symlink_to(pictures / "nowhere")  # listed, and not there when read
    (pictures / "again").symlink_to(pictures)
    output = tmp_path / "answers.jsonl"
    done = run("classify", pictures, "--model", trained, "--output", output)
    assert done.exit_code == 1
    found = {Path(row["path"]).name: row["error"] for row in rows(output)}
    assert len(found) == 9, "the loop was not walked"
    assert "empty" in found["empty.jpg"]
    assert "too large" in found["huge.jpg"]
    assert found["gone.jpg"] == "cannot be read: No such file or directory"
    assert [found[f"{number}.png"] for number in range(6)] == [None] * 6
