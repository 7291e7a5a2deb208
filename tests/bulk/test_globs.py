from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from pawsight.bulk.globs import finds_in, matching
from pawsight.bulk.sources import find_pictures
from tests.bulk.test_sources import close, touch

TREE = (
    "a.jpg", "b/a.jpg", "b/c.png", "b/b/a.jpg", "b/b/b/a.jpg", "d/.e/a.jpg", "d/.f.jpg",
    "d/notes.txt",
)  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    [
        "*", "*.jpg", "?/a.jpg", "[bd]/*", "*/", "**/*.jpg", "**/a.jpg", "b/**/a.jpg", "**/b/a.jpg",
        "d/.*", "d/.*/*.jpg", "*/*/*", "b/b/*.jpg", "./*.jpg", "nowhere/*", "a.jpg/*", "**/*.txt",
    ],
)  # fmt: skip
def test_what_is_matched_is_what_a_shell_matches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    touch(tmp_path, *TREE)
    monkeypatch.chdir(tmp_path)
    wanted = {os.path.normpath(each) for each in glob.glob(pattern, recursive=True)}
    assert [os.path.normpath(each) for each in matching(pattern)] == sorted(wanted)


@pytest.mark.parametrize("pattern", ["**", "b/**", "**/b/**/a.jpg", "**/*", "**/**/*.jpg", "*/**"])
def test_every_picture_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    touch(tmp_path, *TREE)
    monkeypatch.chdir(tmp_path)
    found = [str(path) for path in find_pictures([pattern])]
    assert len(found) == len(set(found))
    every = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("[a-z]*.jpg")}
    wanted = {"**": every, "**/*": every, "**/**/*.jpg": every, "*/**": every - {"a.jpg"}}
    below_b = {each for each in every if each.startswith("b/")}
    pictures = {each for each in found if each.endswith(".jpg")}
    assert pictures == wanted.get(pattern, below_b) - {"d/.e/a.jpg"}


@pytest.mark.parametrize("pattern", ["**/*.jpg", "**", "**/*", "**/*/*.jpg"])
def test_links_that_go_round_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    touch(tmp_path, "b/a.jpg")
    monkeypatch.chdir(tmp_path)
    for name in ("x", "b/y", "b/z"):
        os.symlink(tmp_path, name)
    assert [str(path) for path in find_pictures([pattern])] == ["b/a.jpg"]


def test_a_link_to_itself_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "b/a.jpg", "b/c.jpg")
    monkeypatch.chdir(tmp_path)
    os.symlink("b.jpg", "b/b.jpg")
    assert list(matching("b/*.jpg")) == ["b/a.jpg", "b/b.jpg", "b/c.jpg"]
    assert list(matching("**/c.jpg")) == ["b/c.jpg"]


def test_a_link_that_is_named_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "b/a.jpg")
    monkeypatch.chdir(tmp_path)
    os.symlink("b", "link")
    assert list(matching("l*/*.jpg")) == ["link/a.jpg"]


def test_a_folder_that_may_not_be_looked_into_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "closed/b.jpg", "open/c.jpg")
    close(monkeypatch, "closed")
    assert list(matching(f"{tmp_path}/*/*.jpg")) == [f"{tmp_path}/closed", f"{tmp_path}/open/c.jpg"]


@pytest.mark.parametrize(
    ("source", "into"),
    [
        ("album", True),
        (".", True),
        ("album/sorted", True),
        ("album/*", True),
        ("al*/sorted", True),
        ("album/**/*.jpg", True),
        ("album/sorted/**", True),
        ("album/../*", True),
        ("album/*.jpg", False),
        ("album/sorted/unsure", False),
        ("album/sorted/*/*.jpg", True),
        ("album/sorted/*", True),
        ("album/sorted/*.jpg", False),
        ("album/sorted/unsure/*.jpg", False),
        ("album/sorted/*/*/*.jpg", False),
        ("album/old", False),
        ("*.zip", False),
    ],
)
def test_whether_a_source_finds_what_is_put_into_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, into: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("album/a.jpg", "album/old/b.jpg", "album/sorted/cat/c.jpg"):
        touch(tmp_path, file)
    assert finds_in(source, Path("album/sorted")) is into
    assert finds_in(str(tmp_path / source), tmp_path / "album" / "sorted") is into


def test_hidden_folders_are_found_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "album/a.jpg")
    monkeypatch.chdir(tmp_path)
    for source in ("album", "album/**", "."):
        assert not finds_in(source, Path("album/.sorted"))
