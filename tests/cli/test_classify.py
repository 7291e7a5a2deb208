from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from PIL import Image

from tests.command import run
from tests.drawn import draw


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    draw("cat", 700).save(folder / "a.png")
    draw("dog", 700).save(folder / "sub" / "b.jpg", quality=95)
    return folder


def test_the_table_has_a_line_a_picture(trained: Path, pictures: Path) -> None:
    done = run("classify", pictures, "--model", trained)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["cat", "dog"]
    assert lines[1].endswith("sub/b.jpg")
    assert done.stderr == ""  # no progress in a pipe


def test_the_table_says_nothing_of_a_likeliest_class_beside_neither() -> None:
    lines = run("classify", "examples", "--model", "custom").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["cat", "neither", "neither"]
    assert ["%" in line for line in lines] == [True, False, False]


def test_json_lines_hold_the_whole_answer(trained: Path, pictures: Path) -> None:
    done = run("classify", pictures, "--model", trained, "--format", "jsonl")
    first, second = map(json.loads, done.stdout.splitlines())
    assert list(first) == [
        "path",
        "label",
        "confidence",
        "probabilities",
        "model",
        "decided_by",
        "may_lose",
        "size",
        "modified",
        "error",
    ]
    assert first["size"] == (pictures / "a.png").stat().st_size
    assert first["modified"].endswith("+00:00")
    assert first["label"] == "cat"
    assert second["probabilities"]["dog"] == second["confidence"]
    assert first["decided_by"] == first["model"]
    assert first["error"] is None


def test_csv_and_parquet_have_a_column_for_each_probability(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    for kind in ("csv", "parquet"):  # the file's ending says which
        file = tmp_path / f"answers.{kind}"
        done = run("classify", pictures, "--model", trained, "--output", file)
        assert done.exit_code == 0, done.stderr
    with (tmp_path / "answers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = parquet.read_table(tmp_path / "answers.parquet")
    names = ["path", "label", "confidence", "p_cat", "p_dog", "model", "decided_by"]
    names += ["may_lose", "size", "modified", "error"]
    assert list(rows[0]) == table.column_names == names
    assert [row["label"] for row in rows] == table["label"].to_pylist() == ["cat", "dog"]
    assert float(rows[0]["p_cat"]) == pytest.approx(table["p_cat"][0].as_py())
    assert sorted(each.name for each in tmp_path.glob("answers*")) == [
        "answers.csv",
        "answers.parquet",
    ]


def test_a_bad_file_is_a_record_and_stops_nothing(trained: Path, pictures: Path) -> None:
    (pictures / "aa.jpg").write_bytes(b"this is text")
    (pictures / "empty.png").touch()
    Image.new("RGB", (1, 1)).save(pictures / "one.png")
    os.mkfifo(pictures / "pipe.png")
    done = run(
        "classify", pictures, "nowhere.jpg", "x" * 5000, "--model", trained, "--format", "jsonl"
    )
    assert done.exit_code == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    labels = [record["label"] for record in records]
    assert labels == ["cat", None, None, None, None, "dog", None, None]
    assert records[1]["error"] == "not an image: this looks like text"
    assert records[2]["error"] == "not an image: the file is empty"
    assert records[3]["error"] == "too small: 1×1 pixels show nothing, at least 8×8 do"
    assert records[4]["error"] == "cannot be read: not a regular file"
    assert records[6]["error"] == "cannot be read: No such file or directory"
    assert records[7]["error"] == "cannot be read: File name too long"
    assert "6 of 8 could not be used" in done.stderr


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_list_whose_header_is_no_utf8_is_a_record_and_stops_nothing(
    trained: Path, pictures: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "list.csv").write_bytes(b"datei;gr\xf6\xdfe\ncat.jpg;1\n")
    file = tmp_path / f"answers.{kind}"
    command = ("classify", tmp_path / "list.csv", pictures, "--model", trained, "--output", file)
    for options in ((), ("--resume",)):
        done = run(*command, *options)
        assert done.exit_code == 1, done.stderr
        assert "1 of 3 could not be used" in done.stderr


def test_a_list_comes_on_the_standard_input(trained: Path, pictures: Path) -> None:
    given = f"# new ones\n{pictures}/sub/b.jpg\n\n{pictures}/a.png\n".encode()
    done = run("classify", "-", "--model", trained, given=given)
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["dog", "cat"]
    nothing = run("classify", "-", "--model", trained)
    assert (nothing.exit_code, "no pictures in '-'" in nothing.stderr) == (2, True)
    for none in ((pictures / "a.png").read_bytes(), b"a.png\0sub/b.jpg\0"):
        broken = run("classify", "-", "--model", trained, given=none)
        assert broken.exit_code == 1
        assert "without -print0" in broken.stdout
    twice = run("classify", "-", "-", "--model", trained, given=given)
    assert (twice.exit_code, "read only once" in twice.stderr) == (2, True)


def test_what_is_called_like_the_standard_input_is_a_file(
    trained: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "a.png").rename(pictures / "-")
    monkeypatch.chdir(pictures)
    for named in ("?", "./-"):
        done = run("classify", named, "--model", trained, given=b"sub/b.jpg")
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["cat"]


def test_a_name_that_is_no_utf8_is_written_readably(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    draw("cat", 1).save(folder / "x.png")
    os.rename(folder / "x.png", os.fsencode(folder) + b"/\xff.png")
    done = run("classify", folder, "--model", trained, "--format", "jsonl")
    written = json.loads(done.stdout)["path"]
    assert written.endswith("\\xff.png")
    (tmp_path / "list.txt").write_text(written)
    done = run("classify", tmp_path / "list.txt", "--model", trained, "--format", "jsonl")
    again = json.loads(done.stdout)
    assert (again["path"], again["error"]) == (written, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{empty}", "--model", "{model}"], "no pictures in"),
        (["", "--model", "{model}"], "one of the paths is empty"),
        (["{picture}", "--model", "no-such-model"], "no model 'no-such-model': there are"),
        (["{picture}", "--model", "{model}", "--format", "parquet"], "name it with --output"),
        (["{picture}", "--model", "{model}", "--output", "{empty}/x.xls"], "ends in none of"),
        (
            ["{picture}", "--model", "{model}", "--format", "csv", "--output", "{picture}"],
            "is to be read, and is the --output too",
        ),
        (
            ["{picture}", "--model", "{model}", "--format", "table", "--output", "{empty}/no/x"],
            "/no/x': there is no folder '",
        ),
        (["{picture}", "--model", "{model}", "--output", "{empty}/no/x.csv"], "there is no folder"),
        (["{picture}", "--output", "-", "--format", "jsonl"], "'-' is no file here"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    trained: Path, pictures: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "picture": pictures / "a.png", "model": trained}
    done = run("classify", *(each.format(**places) for each in arguments))
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("option", ["--overwrite", "--resume"])
def test_a_list_is_not_written_over(trained: Path, tmp_path: Path, option: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text("path\na.jpg\n")
    done = run("classify", file, "--model", trained, "--output", file, option)
    assert done.exit_code == 2
    assert "is to be read, and is the --output too: name another" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["list.csv"]
    assert file.read_text() == "path\na.jpg\n"


def test_a_folder_of_archives_alone_is_told_how_they_are_named(
    trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    done = run("classify", tmp_path, "--model", trained)
    assert done.exit_code == 2
    assert f"looked into where they are named, as {str(tmp_path / 'a.zip')!r} is" in done.stderr


def test_a_glob_that_matches_nothing_is_said_and_stops_nothing_else(
    trained: Path, pictures: Path, tmp_path: Path
) -> None:
    globs = [f"{pictures}/*.png", f"{pictures}/*.tiff", f"{pictures}/*.bmp"]
    done = run("classify", *globs, "--model", trained, "--summary")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1
    first, second, summary = done.stderr.splitlines()
    assert first == f"pawsight: no pictures in {globs[1]!r}"
    assert second == f"pawsight: no pictures in {globs[2]!r}"
    assert summary.startswith("pawsight: 1 file, 0 errors; cat 1; no pictures in ")
    assert globs[1] in summary
    to_file = ("--output", tmp_path / "answers.csv", "--summary")
    done = run("classify", *globs, "--model", trained, *to_file)
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [first, second, summary]
    # Where none matches anything, there is nothing to do.
    none = run("classify", *globs[1:], "--model", trained, "--output", tmp_path / "none.csv")
    assert none.exit_code == 2
    assert none.stderr.splitlines() == [first, second]
    assert sorted(each.name for each in tmp_path.glob("none*")) == []


def test_a_full_disk_is_said_in_a_line(trained: Path, pictures: Path) -> None:
    command = ["classify", str(pictures), "--model", str(trained)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from pawsight.cli import main; main()", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "pawsight: cannot write 'the answers': No space left on device\n"


def test_parquet_without_pyarrow_says_what_to_install(
    trained: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run(
        "classify", pictures, "--model", trained, "--format", "parquet", "--output", tmp_path / "x"
    )
    assert done.exit_code == 2
    assert "Parquet needs pyarrow, which the extra 'parquet' brings" in done.stderr
