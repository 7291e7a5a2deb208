"""What is found out about pictures that were sent."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from pawsight.jobs.datasets import Dataset, Place
from pawsight.jobs.receive import receive
from pawsight.jobs.unpack import Bounds
from tests.zips import drawn_files, zipped


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def received(place: Place, files: dict[str, bytes]) -> Dataset:
    place.archive.write_bytes(zipped(files))
    return receive("0" * 32, place, Bounds(20_000, 100_000_000))


def reasons(dataset: Dataset) -> dict[str, str]:
    return {each.path: each.reason for each in dataset.problems}


def test_folders_are_labels(place: Place) -> None:
    others = {"dog/notes.txt": b"mine", "cat/half.png": b"\x89PNG"}
    found = received(place, drawn_files(12) | others)
    assert (found.usable, found.pictures, found.labels) == (True, 24, {"cat": 12, "dog": 12})
    assert found.problem_count == 2
    assert set(reasons(found)) == set(others)
    table = pd.read_csv(place.table)
    assert set(table["path"]) == set(drawn_files(12))
    assert not place.archive.exists()


@pytest.mark.parametrize("inside", ["", "pets/"])
def test_a_table_at_the_top_has_the_labels(place: Place, inside: str) -> None:
    pictures = {name.replace("/", "_"): data for name, data in drawn_files(10).items()}
    rows = [f"{name},{'tom' if name[0] == 'c' else 'rex'}" for name in pictures]
    files = {inside + name: data for name, data in pictures.items()}
    table = "\n".join(["path,label", *rows, "gone.png,tom"])
    found = received(place, files | {f"{inside}labels.csv": table.encode()})
    assert (found.usable, found.labels) == (True, {"tom": 10, "rex": 10})
    assert reasons(found) == {"gone.png": f"{inside}gone.png does not exist"}


@pytest.mark.parametrize("inside", ["", "pets/"])
def test_a_table_beside_the_folder_of_its_pictures_finds_them(place: Place, inside: str) -> None:
    pictures = drawn_files(10)
    rows = [f"{name},{name[:3]}" for name in pictures]
    table = "\n".join(["path,label", "gone.png,cat", *rows]).encode()
    files = {f"{inside}images/{name}": data for name, data in pictures.items()}
    found = received(place, files | {f"{inside}labels.csv": table, f"{inside}notes/a.txt": b"mine"})
    assert (found.usable, found.labels) == (True, {"cat": 10, "dog": 10})
    assert reasons(found) == {"gone.png": f"{inside}images/gone.png does not exist"}


def test_a_table_whose_paths_lie_in_several_folders_is_not_guessed_at(place: Place) -> None:
    pictures = drawn_files(10)
    table = "\n".join(["path,label", *(f"{name},{name[:3]}" for name in pictures)]).encode()
    files = {f"{top}/{name}": data for top in ("train", "test") for name, data in pictures.items()}
    found = received(place, files | {"labels.csv": table})
    assert not found.usable
    assert found.why_not is not None
    assert "start from: of test, train; put the table into that folder" in found.why_not


def test_pictures_beside_a_table_come_before_those_in_a_folder(place: Place) -> None:
    pictures = drawn_files(10)
    table = "\n".join(["path,label", *(f"{name},{name[:3]}" for name in pictures)]).encode()
    elsewhere = {"cat/0.png", "dog/0.png"}
    files = {f"old/{name}" if name in elsewhere else name: pictures[name] for name in pictures}
    found = received(place, files | {"labels.csv": table})
    assert reasons(found) == {name: f"{name} does not exist" for name in elsewhere}


@pytest.mark.parametrize("name", ["there.png", "gone.png"])
@pytest.mark.parametrize("way", ["", "../../../"])
def test_what_lies_outside_of_an_archive_changes_nothing(
    tmp_path: Path, name: str, way: str
) -> None:
    pictures = drawn_files(10)
    (tmp_path / "there.png").write_bytes(pictures["cat/0.png"])
    rows = [f"{way or f'{tmp_path}/'}{name},cat", *(f"{each},{each[:3]}" for each in pictures)]
    files = {f"images/{each}": data for each, data in pictures.items()}
    place = Place(tmp_path / "sent")
    place.path.mkdir()
    found = received(place, files | {"labels.csv": "\n".join(["path,label", *rows]).encode()})
    assert (found.usable, found.pictures, found.problem_count) == (True, 20, 1)
    assert found.problems[0].reason == "the path leads elsewhere"


def test_a_table_reads_nothing_outside_of_its_archive(place: Place, tmp_path: Path) -> None:
    files = drawn_files(10)
    secret = tmp_path / "secret.png"
    secret.write_bytes(files["cat/0.png"])
    rows = [f"{name},{name[:3]}" for name in files]
    rows += [f"{secret},cat", "../secret.png,dog", "cat/../../secret.png,dog"]
    found = received(place, files | {"labels.csv": "\n".join(["path,label", *rows]).encode()})
    assert found.labels == {"cat": 10, "dog": 10}
    assert found.problem_count == 3
    assert set(reasons(found).values()) == {"the path leads elsewhere"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"readme.txt": b"hello"}, "no pictures"),
        (drawn_files(9, ("cat",)), "two classes"),
        (drawn_files(9, ("cat", "wrong")), "cannot be called 'wrong'.* call it otherwise"),
        ({"a.csv": b"path,label", "b.csv": b"path,label"}, r"several tables \(a.csv, b.csv\)"),
        ({"a.csv": b"x,y,z\n1,2,3"}, "call it 'path'"),
        ({"a.csv": b"path,file,label\na.png,b.png,cat"}, "give all but the right one another name"),
        (drawn_files(2), "too few pictures"),
    ],
)
def test_what_cannot_be_trained_on_says_why(
    place: Place, files: dict[str, bytes], words: str
) -> None:
    found = received(place, files)
    assert not found.usable
    assert found.why_not
    assert re.search(words, found.why_not)
    assert str(place.path) not in found.why_not
    assert "--" not in found.why_not  # the page has no such options


def test_pictures_without_labels_are_told_how_to_have_some(place: Place) -> None:
    cat, dog = (f"{label}/0.png" for label in ("cat", "dog"))
    files = drawn_files(1)
    found = received(place, {"a.png": files[cat], "b.png": files[dog]})
    assert found.why_not == (
        "put each label's pictures in a folder of its name, or add a CSV of paths and labels"
    )
    assert found.problem_count == 2
    assert set(reasons(found)) == {"a.png", "b.png"}


def test_too_few_pictures_of_each_folder_are_not_told_to_be_put_in_folders(place: Place) -> None:
    found = received(place, drawn_files(1))
    assert found.why_not == "nothing here can be used"
    assert set(reasons(found)) == {"cat/0.png", "dog/0.png"}
    assert "--" not in " ".join(reasons(found).values())


def test_1500_files_are_no_trouble(place: Place) -> None:
    found = received(place, drawn_files(750))
    assert found.usable
    assert found.pictures + found.problem_count == 1500
    assert found.pictures > 1400
