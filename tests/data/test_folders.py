from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pawsight.data.problems import TableError
from pawsight.data.table import table_from_folder

Write = Callable[[str, int], Path]


def test_folders_are_labels(tmp_path: Path, write: Write) -> None:
    for number, label in enumerate(["Cat", "Cat", "dog", "dog"]):
        write(f"{label}/x{number}.jpg", number)
    table = table_from_folder(tmp_path)
    assert table.classes == ("cat", "dog")
    assert list(table.frame["label"]) == ["cat", "cat", "dog", "dog"]
    assert table.frame["path"][0] == str(tmp_path / "Cat/x0.jpg")


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        ("cat.12.jpg", "Cat.13.jpg", "cat"),
        ("cat_0001.jpg", "cat_0002.jpg", "cat"),
        ("cat1.jpg", "cat (2).jpg", "cat"),
        ("Maine_Coon_12.jpg", "maine_coon_13.jpg", "maine_coon"),
    ],
)
def test_names_in_a_flat_folder_begin_with_labels(
    tmp_path: Path, write: Write, first: str, second: str, label: str
) -> None:
    for number, name in enumerate([first, second]):
        write(name, number)
    assert table_from_folder(tmp_path).classes == (label,)


def test_strays_are_neither_pictures_nor_classes(tmp_path: Path, write: Write) -> None:
    for number, label in enumerate(["cat", "cat", "dog", "dog"]):
        write(f"{label}/{number}.jpg", number)
    write(".cache/1.jpg", 8)
    write("__MACOSX/cat/0.jpg", 9)
    for name in ("cat/.DS_Store", "cat/._0.jpg", "dog/Thumbs.db", "labels.csv", "notes/read.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    table = table_from_folder(tmp_path)
    assert table.classes == ("cat", "dog")
    assert len(table.frame) == 4
    assert {problem.path for problem in table.problems} == {
        *(".cache", "__MACOSX", "cat/.DS_Store", "cat/._0.jpg", "dog/Thumbs.db"),
        *("labels.csv", "notes/read.txt"),
    }
    assert {problem.code for problem in table.problems} == {"stray-file"}
    assert "labels.csv: 'labels.csv' has no picture's file name ending" in map(str, table.problems)


def test_pictures_outside_the_class_folders_have_no_label(tmp_path: Path, write: Write) -> None:
    for number, label in enumerate(["cat", "cat", "dog", "dog"]):
        write(f"{label}/{number}.jpg", number)
    write("logo.png", 7)
    (problem,) = table_from_folder(tmp_path).problems
    assert (problem.path, problem.code) == ("logo.png", "missing-label")


@pytest.mark.parametrize("layout", ["{split}/{label}/{number}.jpg", "{split}/{label}.{number}.jpg"])
def test_folders_may_name_splits(tmp_path: Path, write: Write, layout: str) -> None:
    number = 0
    for split in ("test", "train", "val"):
        for label in ("cat", "dog"):
            for _ in range(2):
                write(layout.format(split=split, label=label, number=number), number)
                number += 1
    frame = table_from_folder(tmp_path).frame
    assert set(frame["label"]) == {"cat", "dog"}
    assert list(frame["split"]) == ["test"] * 4 + ["train"] * 4 + ["validation"] * 4


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path, write: Write) -> None:
    for number, label in enumerate(["cat", "cat", "dog", "dog"]):
        write(f"elsewhere/{label}/{number}.jpg", number)
    images = tmp_path / "images"
    images.mkdir()
    for label in ("cat", "dog"):
        (images / label).symlink_to(tmp_path / "elsewhere" / label)
    (tmp_path / "elsewhere/cat/again").symlink_to(images)
    table = table_from_folder(images)
    assert table.classes == ("cat", "dog")
    assert len(table.frame) == 4
    assert table.problems == ()


def test_a_class_may_be_called_train(tmp_path: Path, write: Write) -> None:
    for number, label in enumerate(["car", "car", "train", "train"]):
        write(f"{label}/{number}.jpg", number)
    assert table_from_folder(tmp_path).classes == ("car", "train")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there are no pictures in"):
        table_from_folder(tmp_path)
    with pytest.raises(TableError, match="is not a folder"):
        table_from_folder(tmp_path / "none")


def test_real_names_hold_the_labels(shared_data: Path) -> None:
    table = table_from_folder(shared_data / "breeds/images", check_images=False)
    assert table.frame["label"].value_counts().to_dict() == {"cat": 995, "dog": 1000}
    assert table.problems == ()
