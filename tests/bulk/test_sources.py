from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from pawsight.bulk.sources import find_items, find_pictures


def touch(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def close(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let nobody look into folders of a name: root may look into everything."""
    looked = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_a_folder_gives_its_pictures_to_the_bottom_sorted_without_hidden_ones(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "b.JPG", "a.heic", "notes.txt", "sub/deep/c.webp", ".hidden.jpg", ".git/d.png")
    found = [str(path.relative_to(tmp_path)) for path in find_pictures([str(tmp_path)])]
    assert found == ["a.heic", "b.JPG", "sub/deep/c.webp"]


def test_a_file_is_taken_whatever_its_name_and_so_is_one_that_is_not_there(tmp_path: Path) -> None:
    touch(tmp_path, "picture.dat")
    named = [str(tmp_path / "picture.dat"), str(tmp_path / "missing.jpg")]
    assert [str(path) for path in find_pictures(named)] == named


def test_globs_match_files_and_folders(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.jpg", "one/b.png", "two/c.jpg")
    assert [path.name for path in find_pictures([f"{tmp_path}/*/*.jpg"])] == ["a.jpg", "c.jpg"]
    assert [path.name for path in find_pictures([f"{tmp_path}/o*"])] == ["a.jpg", "b.png"]
    assert list(find_pictures([f"{tmp_path}/*.tiff"])) == []


def test_a_source_that_there_is_nothing_in_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.jpg", "notes/b.md", "list.txt")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        archive.writestr("notes.md", b"")
    globs = [f"{tmp_path}/*.tiff", f"{tmp_path}/one/*.jpg"]
    others = [str(tmp_path / name) for name in ("notes", "album.zip", "list.txt", "gone.jpg")]
    told: list[str] = []
    found = [each.name for each in find_items([*globs, *others], told.append)]
    assert found == [f"{tmp_path}/one/a.jpg", f"{tmp_path}/gone.jpg"]  # which gets its record
    assert told == [globs[0], *others[:3]]


def test_a_file_whose_name_has_brackets_is_that_file(tmp_path: Path) -> None:
    touch(tmp_path, "cat[1].jpg", "cat1.jpg")
    assert [p.name for p in find_pictures([str(tmp_path / "cat[1].jpg")])] == ["cat[1].jpg"]


def test_links_that_go_round_end(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    os.symlink(tmp_path, tmp_path / "round")
    assert [path.name for path in find_pictures([str(tmp_path)])] == ["a.jpg"]


def test_a_folder_that_may_not_be_looked_into_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.jpg", "closed/b.jpg", "open/c.jpg")
    close(monkeypatch, "closed")
    found = list(find_items([str(tmp_path)]))
    assert [each.name for each in found] == [
        str(tmp_path / name) for name in ("a.jpg", "closed", "open/c.jpg")
    ]
    with pytest.raises(OSError, match="Permission denied"):
        found[1].read()
