from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from pawsight.images.decode import Limits
from pawsight.images.errors import ImageTooLarge
from pawsight.images.files import read_file


def test_no_more_is_read_than_can_be_decoded(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(bytes(range(100)))
    assert read_file(file) == bytes(range(100))
    with pytest.raises(ImageTooLarge, match="too large: 100 bytes, limit 10"):
        read_file(file, Limits(max_bytes=10))


def test_a_file_that_grows_while_it_is_read_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"half")
    before = file.stat()
    file.write_bytes(b"half and half")
    monkeypatch.setattr(Path, "stat", lambda _: before)
    assert read_file(file) == b"half and half"
    assert read_file(file, Limits(max_bytes=8)) == b"half and "


def test_a_small_picture_takes_no_more_memory_than_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(bytes(20_000))
    tracemalloc.start()
    try:
        read_file(file)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        read_file(Path("/dev/zero"))
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)
