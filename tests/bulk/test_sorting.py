from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from pawsight.bulk.items import as_text
from pawsight.bulk.sorting import Sorter


def row(path: Path | str, label: str = "cat", confidence: float = 0.9) -> dict[str, Any]:
    return {"path": str(path), "label": label, "confidence": confidence, "error": None}


def files(folder: Path) -> dict[str, str]:
    found = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_text() for each in found}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in ("a/x.jpg", "b/x.jpg", "b/y.jpg"):
        file = tmp_path / "album" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        os.utime(file, (1_700_000_000, 1_700_000_000 + len(files(tmp_path))))
    return tmp_path / "album"


def sort(sorter: Sorter, album: Path) -> None:
    for name, label, confidence in (
        ("a/x.jpg", "cat", 0.9), ("b/x.jpg", "cat", 0.9), ("b/y.jpg", "dog", 0.6),
    ):  # fmt: skip
        sorter.take(row(album / name, label, confidence))


def test_copies_lie_under_their_labels_and_nothing_is_overwritten(
    album: Path, tmp_path: Path
) -> None:
    before = files(album)
    sorter = Sorter(tmp_path / "out")
    sort(sorter, album)
    assert files(tmp_path / "out") == {
        "cat/x-2.jpg": "b/x.jpg",
        "cat/x.jpg": "a/x.jpg",
        "dog/y.jpg": "b/y.jpg",
    }
    assert files(album) == before
    again = Sorter(tmp_path / "out")
    sort(again, album)
    assert (again.sorted, again.there) == (0, 3)
    assert len(files(tmp_path / "out")) == 3


def test_moving_leaves_nothing_behind_and_may_be_repeated(album: Path, tmp_path: Path) -> None:
    for number in (3, 0):
        sorter = Sorter(tmp_path / "out", move=True)
        sort(sorter, album)
        assert (sorter.sorted, sorter.left) == (number, 3 - number)
    assert files(album) == {}
    assert len(files(tmp_path / "out")) == 3


def test_what_is_unsure_lies_apart_and_neither_does_not(album: Path, tmp_path: Path) -> None:
    sorter = Sorter(tmp_path / "out", min_confidence=0.8)
    sort(sorter, album)
    sorter.take(row(album / "b/y.jpg", "neither", 0.3))
    assert set(files(tmp_path / "out")) == {
        "cat/x.jpg", "cat/x-2.jpg", "unsure/y.jpg", "neither/y.jpg",
    }  # fmt: skip


def test_a_dry_run_does_nothing(album: Path, tmp_path: Path) -> None:
    sorter = Sorter(tmp_path / "out", move=True, dry_run=True)
    assert sorter.take(row(album / "a/x.jpg")) == tmp_path / "out" / "cat" / "x.jpg"
    assert not (tmp_path / "out").exists()
    assert len(files(album)) == 3


def test_of_a_link_the_picture_is_put_there(album: Path, tmp_path: Path) -> None:
    link = album / "a" / "link.jpg"
    link.symlink_to(Path("../b/y.jpg"))
    Sorter(tmp_path / "out", move=True).take(row(link))
    assert files(tmp_path / "out") == {"cat/link.jpg": "b/y.jpg"}
    assert not (tmp_path / "out/cat/link.jpg").is_symlink()
    assert not link.is_symlink()
    assert (album / "b" / "y.jpg").read_text() == "b/y.jpg"


def test_a_dry_run_names_the_places_of_the_run_to_come(album: Path, tmp_path: Path) -> None:
    pictures = [row(album / name) for name in ("a/x.jpg", "b/x.jpg", "a/x.jpg")]
    planned, done = Sorter(tmp_path / "out", dry_run=True), Sorter(tmp_path / "out")
    targets = [planned.take(each) for each in pictures]
    assert targets == [tmp_path / "out/cat/x.jpg", tmp_path / "out/cat/x-2.jpg", None]
    assert targets == [done.take(each) for each in pictures]
    assert (planned.sorted, planned.there) == (done.sorted, done.there) == (2, 1)


def test_another_picture_of_the_same_size_and_time_is_no_copy(tmp_path: Path) -> None:
    for name in ("a/x.bmp", "b/x.bmp"):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text(name)
        os.utime(file, (0, 0))
    sorter = Sorter(tmp_path / "out", move=True)
    for name in ("a/x.bmp", "b/x.bmp"):
        sorter.take(row(tmp_path / name))
    assert files(tmp_path / "out") == {"cat/x.bmp": "a/x.bmp", "cat/x-2.bmp": "b/x.bmp"}


def test_each_of_many_of_a_name_is_looked_at_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [tmp_path / str(number) / "x.jpg" for number in range(300)]
    for number, source in enumerate(sources):
        source.parent.mkdir()
        source.write_text(str(number))
        os.utime(source, (1_700_000_000, 1_700_000_000 + number // 3))  # three are alike each time
    look = MagicMock(wraps=os.stat)
    monkeypatch.setattr(os, "stat", look)
    trial, first = Sorter(tmp_path / "out", dry_run=True), Sorter(tmp_path / "out")
    planned = [trial.take(row(each)) for each in sources]
    assert planned == [first.take(row(each)) for each in sources]
    again = Sorter(tmp_path / "out")
    for source in reversed(sources):
        again.take(row(source))
    assert (trial.sorted, first.sorted, again.sorted, again.there) == (300, 300, 0, 300)
    assert sorted(files(tmp_path / "out").values()) == sorted(map(str, range(300)))
    assert look.call_count < 50 * len(sources)


@pytest.mark.parametrize("there", ["nowhere", "x-2.jpg"])  # or to itself
def test_a_link_that_leads_nowhere_is_not_overwritten(
    album: Path, tmp_path: Path, there: str
) -> None:
    sorter = Sorter(tmp_path / "out")
    sorter.take(row(album / "a/x.jpg"))
    (tmp_path / "out/cat/x-2.jpg").symlink_to(there)
    sorter.take(row(album / "b/x.jpg"))
    assert files(tmp_path / "out") == {"cat/x.jpg": "a/x.jpg", "cat/x-3.jpg": "b/x.jpg"}
    assert os.readlink(tmp_path / "out/cat/x-2.jpg") == there


def test_an_ending_as_long_as_names_may_be_gets_a_number_too(tmp_path: Path) -> None:
    name = "a." + "x" * 253
    sorter = Sorter(tmp_path / "out")
    for folder in "abc":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(folder)
        sorter.take(row(tmp_path / folder / name))
    assert files(tmp_path / "out") == {
        f"cat/{name}": "a", f"cat/{name[:-2]}-2": "b", f"cat/{name[:-2]}-3": "c",
    }  # fmt: skip


def test_pictures_without_an_answer_or_a_file_stay(album: Path, tmp_path: Path) -> None:
    sorter = Sorter(tmp_path / "out")
    sorter.take({"path": str(album / "a/x.jpg"), "error": "truncated"})
    sorter.take(row("album.zip/x.jpg"))
    assert not (tmp_path / "out").exists()
    assert sorter.left == 1


@pytest.mark.parametrize("move", [False, True])
def test_names_that_are_no_utf8_or_as_long_as_names_may_be(tmp_path: Path, move: bool) -> None:
    long = "ü" * 125 + "l.jpg"
    sources = [tmp_path / name / long for name in "abc"] + [tmp_path / os.fsdecode(b"\xff\xfe.jpg")]
    sorter = Sorter(tmp_path / "out", move)
    for number, source in enumerate(sources):
        source.parent.mkdir(exist_ok=True)
        source.write_text(str(number))
        os.utime(source, (1_700_000_000, 1_700_000_000 + number))
        sorter.take(row(as_text(str(source))))
    assert (sorter.sorted, sorter.left) == (4, 0)
    found = {each.name: each.read_text() for each in (tmp_path / "out" / "cat").iterdir()}
    assert sorted(found.values()) == ["0", "1", "2", "3"]
    assert found[long] == "0"
    assert found[os.fsdecode(b"\xff\xfe.jpg")] == "3"
    assert [source.exists() for source in sources] == [not move] * 4


def test_a_copy_that_fails_leaves_nothing_half_behind(
    tmp_path: Path, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", half)
    with pytest.raises(OSError, match="No space left"):
        sort(Sorter(tmp_path / "out"), album)
    assert files(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("label", "folder"),
    [("..", "--"), ("../../away", "..-..-away"), ("/tmp", "-tmp"), ("long/short", "long-short")],
)
def test_no_label_leads_out_of_the_folder(
    album: Path, tmp_path: Path, label: str, folder: str
) -> None:
    Sorter(tmp_path / "out").take(row(album / "a/x.jpg", label))
    assert files(tmp_path / "out") == {f"{folder}/x.jpg": "a/x.jpg"}


def on_another_disk(source: Path, target: Path, link: Callable[..., None] = os.link) -> None:
    if source.parent != target.parent:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    link(source, target)


def without_links(*_: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("link", [os.link, on_another_disk, without_links])
def test_of_two_runs_at_once_neither_overwrites_what_the_other_puts_there(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: Any, move: bool
) -> None:
    monkeypatch.setattr(os, "link", link)
    put = Sorter._put

    def while_another_does(self: Sorter, source: Path, target: Path) -> None:
        monkeypatch.setattr(Sorter, "_put", put)
        Sorter(tmp_path / "out", move).take(row(album / "b/x.jpg"))
        self._put(source, target)

    monkeypatch.setattr(Sorter, "_put", while_another_does)
    sorter = Sorter(tmp_path / "out", move)
    assert sorter.take(row(album / "a/x.jpg")) == tmp_path / "out/cat/x-2.jpg"
    assert sorter.sorted == 1
    assert files(tmp_path / "out") == {"cat/x.jpg": "b/x.jpg", "cat/x-2.jpg": "a/x.jpg"}
    assert (album / "a/x.jpg").exists() is not move


def test_where_no_links_are_made_what_cannot_be_moved_stays(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", without_links)
    monkeypatch.setattr(Path, "replace", without_links)
    before = files(album)
    with pytest.raises(PermissionError):
        sort(Sorter(tmp_path / "out", move=True), album)
    assert (files(album), files(tmp_path / "out")) == (before, {})


def test_moving_to_another_disk_leaves_nothing_half_behind(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", on_another_disk)
    whole = shutil.copy2

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    before = files(album)
    monkeypatch.setattr(shutil, "copy2", half)
    with pytest.raises(OSError, match="No space left"):
        sort(Sorter(tmp_path / "out", move=True), album)
    assert (files(album), files(tmp_path / "out")) == (before, {})
    monkeypatch.setattr(shutil, "copy2", whole)
    sort(Sorter(tmp_path / "out", move=True), album)
    assert files(album) == {}
    assert sorted(files(tmp_path / "out").values()) == sorted(before.values())
