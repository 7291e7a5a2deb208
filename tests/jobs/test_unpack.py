"""ZIPs from anybody."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from pawsight.jobs.unpack import Bounds, Refused, unpack
from tests.zips import encrypted, endless, unflagged, with_mode, zipped

BOUNDS = Bounds(files=2000, bytes=50_000_000)


def unpacked(tmp_path: Path, data: bytes, bounds: Bounds = BOUNDS) -> dict[str, bytes]:
    (tmp_path / "sent.zip").write_bytes(data)
    home = tmp_path / "home"
    home.mkdir()
    unpack(tmp_path / "sent.zip", home, bounds)
    files = [each for each in home.rglob("*") if each.is_file()]
    return {str(each.relative_to(home)): each.read_bytes() for each in files}


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"cat/1.jpg": b"one", "dog/deep/er/2.jpg": b"two", "labels.csv": b"path,label"}
    assert unpacked(tmp_path, zipped(files, zipfile.ZIP_DEFLATED)) == files


def test_folders_and_windows_names_are_understood(tmp_path: Path) -> None:
    data = zipped({"cat/": b"", "cat/1.jpg": b"one", "dog\\2.jpg": b"two", "täglich/ü.jpg": b"3"})
    assert set(unpacked(tmp_path, data)) == {"cat/1.jpg", "dog/2.jpg", "täglich/ü.jpg"}


def test_names_in_utf8_are_read_with_and_without_the_flag_that_says_so(tmp_path: Path) -> None:
    files = {"täglich/ü.jpg": b"1", "猫/2.jpg": b"2"}
    assert unflagged(zipped(files)) != zipped(files)
    assert unpacked(tmp_path, unflagged(zipped(files))) == files


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped({"../x.jpg": b"1"}), "leads out"),
        (zipped({"cat/../../x.jpg": b"1"}), "leads out"),
        (zipped({"cat\\..\\..\\x.jpg": b"1"}), "leads out"),
        (zipped({"/etc/x.jpg": b"1"}), "leads out"),
        (zipped({"\\\\server\\x.jpg": b"1"}), "leads out"),
        (zipped({"C:\\x.jpg": b"1"}), "leads out"),
        (zipped({"a\nb.jpg": b"1"}), "no name"),
        (zipped({"x" * 300: b"1"}), "too long"),
        (zipped({"a/" * 40 + "x.jpg": b"1"}), "too deep"),
        (zipped({"a": b"1", "a/b.jpg": b"2"}), "there twice"),
        (with_mode("cat/link.jpg", stat.S_IFLNK | 0o777), "is a link"),
        (with_mode("cat/pipe.jpg", stat.S_IFIFO | 0o600), "is a link, or otherwise no file"),
        (encrypted(), "encrypted"),
        (zipped({f"{number}.jpg": b"" for number in range(2001)}), "2001 files"),
        (endless(1_000_000), "too many"),
        (zipped({"x.bmp": b"\0" * 20_000_000}, zipfile.ZIP_DEFLATED), "times its size"),
        (zipped({"x.bmp": b"\0" * 60_000_000}, zipfile.ZIP_LZMA), "unpacks to 60 MB"),
        (b"", "no ZIP"),
        (b"GIF89a", "no ZIP"),
        (zipped({"cat/1.jpg": b"one" * 99})[:-30], "cut short: its index, at the end, is missing"),
        (
            zipped({"cat/1.jpg": b"1", "in.zip": zipped({"2.jpg": b"2"}), "3.jpg": b"3"})[:200],
            "cut short: its index is missing",
        ),
        (zipped({"cat/1.jpg": b"one"}).replace(b"one", b"two"), "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_as_it_should_be_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        unpacked(tmp_path, data)
    written = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert {each.parent for each in written} <= {tmp_path, tmp_path / "home", tmp_path / "home/cat"}
    assert not any(each.is_symlink() for each in tmp_path.rglob("*"))


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "twice.zip"
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("cat/1.jpg", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr("cat/1.jpg", b"2")
    with pytest.raises(Refused, match="there twice"):
        unpacked(tmp_path, whole.read_bytes())
