"""Sorting into folders, the sheet of the least sure, and comparing two runs."""

from __future__ import annotations

import codecs
import csv
import os
from pathlib import Path

import pytest

from pawsight.bulk.items import as_text
from pawsight.bulk.review import render_sheet
from tests.command import run
from tests.drawn import draw


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(4):
        draw(("cat", "dog")[number % 2], number).save(folder / f"{number}.png")
    return folder


def below(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*.png")}


@pytest.mark.parametrize("output", [None, "answers.csv"])
def test_pictures_are_copied_into_folders_named_by_their_labels(
    trained: Path, album: Path, tmp_path: Path, output: str | None
) -> None:
    command = ["classify", str(album), "--model", str(trained)]
    command += ["--output", str(tmp_path / output), "--resume"] if output else []
    command += ["--copy-to", str(tmp_path / "sorted")]
    trial = run(*command, "--dry-run")
    assert trial.exit_code == 0, trial.stderr
    assert "4 would be copied" in trial.stderr
    assert not (tmp_path / "sorted").exists()
    assert "4 copied" in run(*command).stderr
    found = below(tmp_path / "sorted")
    assert {Path(each).name for each in found} == {f"{n}.png" for n in range(4)}
    assert "cat/0.png" in found
    assert "4 there already" in run(*command).stderr  # after an earlier run, too
    assert below(tmp_path / "sorted") == found


def test_what_would_be_done_is_a_line_a_picture_whatever_its_name(
    trained: Path, tmp_path: Path
) -> None:
    album = tmp_path / "album"
    album.mkdir()
    draw("cat", 0).save(album / "a\nb\x1b[31m.png")
    command = ("classify", album, "--model", trained, "--copy-to", tmp_path / "sorted")
    said = run(*command, "--dry-run").stderr
    assert "\x1b" not in said
    [line] = [each for each in said.splitlines() if each.startswith("copy ")]
    assert line.count("a\\x0ab\\x1b[31m.png") == 2


def test_words_of_an_error_move_no_cursor_either(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("na\x1b[2Jme,label,of\na.png,cat,me\n")
    said = run("classify", tmp_path / "list.csv", "--model", trained).stdout
    assert "its columns: na\\x1b[2Jme, label, of" in said
    assert "\x1b" not in said
    refused = run("evaluate", "--labels", tmp_path / "list.csv", "--model", trained)
    assert refused.exit_code == 2
    assert "'na\\x1b[2Jme'" in refused.stderr
    assert "\x1b" not in refused.stderr


def test_the_least_sure_are_shown_on_a_page(
    trained: Path, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("classify", album, "--model", trained, "--review", 2, "--format", "csv")
    assert done.exit_code == 0, done.stderr
    rows = [row for row in csv.DictReader(done.stdout.splitlines()) if row["label"] != "neither"]
    least = sorted(rows, key=lambda row: float(row["confidence"]))[:2]
    page = (tmp_path / "review.html").read_text()
    assert page.count("<figure>") == 2
    assert page.count("data:image/jpeg;base64,") == 2
    for row in least:
        assert row["path"] in page
    again = run("classify", album, "--model", trained, "--review", 2)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_a_picture_whose_name_is_no_utf8_is_shown(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"\xff.png")
    draw("cat", 1).save(file)
    page = render_sheet([{"path": as_text(str(file)), "said": ["cat"]}], "title", "words")
    assert page.count("data:image/jpeg;base64,") == 1
    assert "\\xff.png" in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--copy-to", "a", "--move-to", "b"], "choose one"),
        (["--dry-run"], "are about --copy-to"),
        (["--move-to", "{album}/sorted"], "the next run would find the pictures twice"),
        (["--copy-to", "{album}.csv", "--output", "{album}.csv"], "and the --output: name two"),
        (["--copy-to", "{album}/0.png"], "is a file, and a folder"),
        (["--copy-to", ""], "has no name"),
        (["--move-to", ""], "has no name"),
    ],
)
def test_what_makes_no_sense_is_said(
    trained: Path, album: Path, options: list[str], words: str
) -> None:
    given = [each.format(album=album) for each in options]
    done = run("classify", album, "--model", trained, *given)
    assert done.exit_code == 2
    assert words in done.stderr
    assert len(below(album)) == 4


def test_a_glob_that_finds_the_folder_of_what_is_sorted_is_refused(
    trained: Path, album: Path
) -> None:
    command = ("--model", trained, "--copy-to", album / "sorted")
    done = run("classify", album / "*", *command)
    assert done.exit_code == 2
    assert "the next run would find the pictures twice" in done.stderr
    assert run("classify", album / "*.png", *command).exit_code == 0


def test_two_runs_are_compared(trained: Path, album: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.parquet"
    run("classify", album, "--model", trained, "--output", first)
    same = run("diff", first, first)
    assert same.exit_code == 0
    assert "4  the same" in same.stdout
    draw("dog", 50).save(album / "0.png")  # was a cat
    (album / "1.png").unlink()
    run("classify", album, "--model", trained, "--output", second)
    sheet, table = tmp_path / "sheet.html", tmp_path / "changes.csv"
    done = run("diff", first, second, "--sheet", sheet, "--output", table)
    assert done.exit_code == 1
    assert "1  with another label" in done.stdout
    assert "1  in the first run alone" in done.stdout
    assert "cat → dog" in done.stdout
    assert done.stderr.splitlines() == [
        f"pawsight: {str(table)!r} names what differs, 2 pictures",
        f"pawsight: {str(sheet)!r} shows 1 of 1 picture with another label",
    ]
    assert same.stderr == ""
    assert "cat → dog" in sheet.read_text()
    rows = {Path(row["path"]).name: row for row in csv.DictReader(table.open())}
    assert (rows["0.png"]["before"], rows["0.png"]["after"]) == ("cat", "dog")
    assert (rows["1.png"]["after"], rows["1.png"]["confidence_after"]) == ("", "")


def test_a_comparison_that_could_not_be_written_is_refused_at_once(
    trained: Path, album: Path, tmp_path: Path
) -> None:
    first, changes = tmp_path / "first.jsonl", tmp_path / "changes.csv"
    run("classify", album, "--model", trained, "--output", first)
    for both, words in (
        (("--output", changes, "--sheet", tmp_path / "album" / ".." / "changes.csv"), "name two"),
        (("--sheet", tmp_path / "no" / "sheet.html"), "there is no folder"),
        (("--output", first), "is there already"),
    ):
        done = run("diff", first, first, *both)
        assert done.exit_code == 2
        assert words in done.stderr
        assert not changes.exists()


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_run_that_was_broken_off_is_compared_and_said(
    trained: Path, album: Path, tmp_path: Path, kind: str
) -> None:
    whole, torn = tmp_path / f"whole.{kind}", tmp_path / f"torn.{kind}"
    run("classify", album, "--model", trained, "--output", whole)
    mark = codecs.BOM_UTF8 if kind == "csv" else b""  # as it would be saved by an editor
    torn.write_bytes(mark + whole.read_bytes()[:-30])
    for runs, lost in (((torn, whole), "second"), ((whole, torn), "first")):
        done = run("diff", *runs, "--moved", 0)
        assert f"1  in the {lost} run alone" in done.stdout
        assert "3  the same" in done.stdout
        assert done.stderr == (
            f"pawsight: {str(torn)!r} was broken off, or is being written: 1 line is no whole "
            "record and passed over, 3 are compared; `classify --resume` goes on with it\n"
        )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.txt", "", "are a .jsonl, .csv or .parquet file"),
        ("x.csv", None, "there is no such file"),
        ("x.csv", "a,b\n1,2\n", "was not written by pawsight classify"),
        ("x.csv", "\0\n", "was not written by pawsight classify"),
        ("x.jsonl", '{"id": 1}\n', "was not written by pawsight classify"),
    ],
)
def test_what_is_no_run_is_said(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    changes = tmp_path / "changes.csv"
    done = run("diff", tmp_path / name, tmp_path / name, "--output", changes)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not changes.exists()
