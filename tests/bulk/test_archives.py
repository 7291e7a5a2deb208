from __future__ import annotations

import gc
import io
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pawsight.bulk.items import Member, Unreadable
from pawsight.bulk.sources import find_items
from pawsight.images.errors import ImageError
from tests.pictures import picture
from tests.zips import encrypted, unflagged, zipped

NAMES = ("a.jpg", "deep/b.PNG", "notes.txt", ".hidden.jpg", "__MACOSX/a.jpg", "0001.cls")
WANTED = ["a.jpg", "deep/b.PNG"]


def make_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name in NAMES:
            archive.writestr(name, picture("red"))


def make_tar(file: Path) -> None:
    packed = file.suffix == ".gz"
    with tarfile.open(file, "w:gz") if packed else tarfile.open(file, "w") as archive:
        for name in NAMES:
            data = picture("red")
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))


def tarred(files: dict[str, bytes], ending: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz" if ending == "tar.gz" else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return whole.getvalue()


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_the_pictures_of_an_archive_in_its_order(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"album.{ending}"
    (make_zip if ending == "zip" else make_tar)(file)
    found = list(find_items([str(file)]))
    assert [each.name for each in found] == [f"{file}/{name}" for name in WANTED]
    for each in found:
        assert each.read() == picture("red")
        assert each.fingerprint().size == len(picture("red"))


@pytest.mark.parametrize(
    ("kind", "target", "words"),
    [
        (tarfile.LNKTYPE, "a.jpg", "was read: unpack it"),
        (tarfile.LNKTYPE, "./deep/b.PNG", "was read"),
        (tarfile.LNKTYPE, "notes.txt", "was not read: unpack it"),
        (tarfile.LNKTYPE, "gone.jpg", "is not there: pack the picture itself"),
        (tarfile.SYMTYPE, "../a.jpg", "was read"),
        (tarfile.SYMTYPE, "../notes.txt", "was not read"),
        (tarfile.SYMTYPE, "later.jpg", "does not lie before it: unpack it"),
        (tarfile.SYMTYPE, "/etc/passwd", "is not there"),
        (tarfile.SYMTYPE, "../../a.jpg", "is not there"),
    ],
)
def test_a_picture_that_is_a_link_says_what_became_of_the_other(
    tmp_path: Path, kind: bytes, target: str, words: str
) -> None:
    file = tmp_path / "album.tar"
    make_tar(file)
    with tarfile.open(file, "a") as archive:
        link = tarfile.TarInfo("deep/same.jpg")
        link.type, link.linkname = kind, target
        archive.addfile(link)
    *others, last = find_items([str(file)])
    assert [each.name for each in others] == [f"{file}/{name}" for name in WANTED]
    assert last.name == f"{file}/deep/same.jpg"
    with pytest.raises(ImageError, match=re.escape(f"a link to {target!r}, which {words}")):
        last.read()


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("inner", ["album.zip", "deep/album.tar.gz"])
def test_an_archive_inside_an_archive_says_that_it_is_not_opened(
    tmp_path: Path, ending: str, inner: str
) -> None:
    file = tmp_path / f"outer.{ending}"
    make_zip(tmp_path / "inner.zip")
    data = (tmp_path / "inner.zip").read_bytes()
    members = {"a.jpg": picture("red"), inner: data, ".hidden.zip": data, "b.jpg": picture("red")}
    if ending == "zip":
        file.write_bytes(zipped(members))
    else:
        file.write_bytes(tarred(members, ending))
    first, nested, last = find_items([str(file)])
    assert first.read() == last.read() == picture("red")
    assert nested.name == f"{file}/{inner}"
    assert nested.fingerprint().size == len(data)  # --resume knows it again
    with pytest.raises(ImageError, match="archive inside an archive, which is not opened"):
        nested.read()


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_an_archive_that_is_cut_short_says_so_after_what_could_be_read(
    tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"album.{ending}"
    (make_zip if ending == "zip" else make_tar)(file)
    data = file.read_bytes()
    whole = {each.name: each.read() for each in find_items([str(file)])}
    data = data.rstrip(b"\0")  # with which a tar is filled up
    for length in (len(data) // 2, len(data) - len(data) // 3, len(data) - 200):
        file.write_bytes(data[:length])
        *read, last = find_items([str(file)])
        assert all(isinstance(each, Member) for each in read)
        assert all(whole[each.name] == each.read() for each in read)
        assert last.name == str(file)
        assert isinstance(last, Unreadable)
        with pytest.raises(OSError, match="the archive is cut short"):
            last.read()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("sizes", ["before", "behind"])
def test_of_a_zip_that_is_cut_short_what_lies_whole_is_read(
    tmp_path: Path, packing: int, sizes: str
) -> None:
    files = {f"deep/ü{number}.jpg": picture("red", size=(60 + number, 60)) for number in range(5)}
    whole = io.BytesIO()
    # What cannot be gone back in is written with the sizes behind the files.
    target: Any = whole if sizes == "before" else _Forwards(whole)
    with zipfile.ZipFile(target, "w", packing) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        within = archive.getinfo("deep/ü3.jpg").header_offset + 200
    file = tmp_path / "album.zip"
    file.write_bytes(whole.getvalue())
    entire = list(find_items([str(file)]))
    file.write_bytes(whole.getvalue()[:within])
    *read, last = find_items([str(file)])
    assert [each.read() for each in read] == list(files.values())[:3]
    assert [(each.name, each.fingerprint()) for each in read] == [
        (each.name, each.fingerprint()) for each in entire[:3]
    ]
    with pytest.raises(OSError, match=r"cut short.*: its index, at the end, is missing"):
        last.read()


@pytest.mark.parametrize("kept", [None, -60])
def test_names_in_utf8_are_read_with_and_without_the_flag_that_says_so(
    tmp_path: Path, kept: int | None
) -> None:
    """From the index and, where that is cut off, from the files' own headers."""
    file = tmp_path / "album.zip"
    data = zipped({"Möwe.jpg": picture("red"), "\u732b.jpg": picture("blue")})
    file.write_bytes(unflagged(data)[:kept])
    items = list(find_items([str(file)]))
    assert [each.name for each in items[:2]] == [f"{file}/Möwe.jpg", f"{file}/\u732b.jpg"]
    assert [each.read() for each in items[:2]] == [picture("red"), picture("blue")]


def test_of_a_cut_zip_it_is_said_from_where_on_nothing_tells_where_files_end(
    tmp_path: Path,
) -> None:
    """Sizes behind files that are not packed are found by a mark, which some programs leave out."""
    whole = io.BytesIO()
    target: Any = _Forwards(whole)
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            archive.writestr(name, picture("red"))
        start = archive.getinfo("b.jpg").header_offset
    data = whole.getvalue()[: archive.start_dir]
    mark = data.index(b"PK\x07\x08", start)
    file = tmp_path / "album.zip"
    file.write_bytes(data[:mark] + data[mark + 4 :])
    first, last = find_items([str(file)])
    assert first.read() == picture("red")
    with pytest.raises(OSError, match=r"read, up to 'b\.jpg', of which nothing says where it ends"):
        last.read()


def test_a_cut_zip_is_not_taken_for_the_one_that_lies_in_it(tmp_path: Path) -> None:
    inner, whole = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("other.jpg", picture("blue"))
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.jpg", picture("red"))
        archive.writestr("inner.docx", inner.getvalue())
        archive.writestr("b.jpg", picture("red"))
        archive.writestr("c.jpg", picture("red", size=(90, 90)))
        within = archive.getinfo("c.jpg").header_offset + 100
    file = tmp_path / "album.zip"
    file.write_bytes(whole.getvalue()[:within])
    *read, last = find_items([str(file)])
    assert [each.name for each in read] == [f"{file}/a.jpg", f"{file}/b.jpg"]
    with pytest.raises(OSError, match="cut short"):
        last.read()


class _Forwards(io.RawIOBase):
    """A pipe, as far as :mod:`zipfile` sees."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return self._target.write(data)


def test_a_tar_that_ends_between_two_pictures_says_so(tmp_path: Path) -> None:
    file = tmp_path / "album.tar"
    make_tar(file)
    with tarfile.open(file) as archive:
        second = archive.getmember("deep/b.PNG")
        data = file.read_bytes()
        for length in (second.offset, second.offset + 100):  # there, and within a header
            file.write_bytes(data[:length])
            first, last = find_items([str(file)])
            assert first.read() == picture("red")
            with pytest.raises(OSError, match="cut short after 1 picture: its end"):
                last.read()


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    (tmp_path / "text.tar").write_text("not a tar")
    for each in find_items([str(tmp_path / "text.zip"), str(tmp_path / "text.tar")]):
        with pytest.raises(OSError, match="the archive is broken"):
            each.read()


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_archive_of_which_nothing_is_left_says_so(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"album.{ending}"
    file.touch()
    [empty] = find_items([str(file)])
    with pytest.raises(OSError, match="is empty, 0 bytes; copy it again, whole"):
        empty.read()
    if ending == "zip":
        return
    with tarfile.open(file, f"w:{ending[4:]}") as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a.jpg")
        info.size = len(picture("red"))
        archive.addfile(info, io.BytesIO(picture("red")))
    data = file.read_bytes()
    for length in (3, 12, 40):  # in the header of the packing, too
        file.write_bytes(data[:length])
        [cut] = find_items([str(file)])
        with pytest.raises(OSError, match=r"before its first file can be|shorter than the header"):
            cut.read()


def test_what_is_encrypted_says_so_in_plain_words(tmp_path: Path) -> None:
    file = tmp_path / "album.zip"
    file.write_bytes(encrypted())
    [found] = find_items([str(file)])
    with pytest.raises(OSError, match="in the archive it is encrypted: pack it without a password"):
        found.read()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(60_000_000))
    [found] = find_items([str(file)])
    with pytest.raises(ImageError, match="too large: 60 000 000 bytes, limit 33 554 432"):
        found.read()
    assert found.fingerprint().size == 60_000_000


def test_one_file_that_cannot_be_read_is_that_files_record(tmp_path: Path) -> None:
    file = tmp_path / "album.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            archive.writestr(name, picture("red"))
    data = bytearray(file.read_bytes())
    second = data.index(b"b.jpg") + len("b.jpg")
    data[second + 200] ^= 0xFF  # its checksum is another now
    file.write_bytes(data)
    first, broken, last = find_items([str(file)])
    assert first.read() == last.read() == picture("red")
    assert broken.name == f"{file}/b.jpg"
    with pytest.raises(OSError, match="in the archive: Bad CRC"):
        broken.read()


def test_times_that_are_none_are_taken_as_they_are(tmp_path: Path) -> None:
    """Some programs write a month 0 into ZIP archives; a tar's times may be any number."""
    zipped, tarred = tmp_path / "album.zip", tmp_path / "album.tar"
    info = zipfile.ZipInfo("a.jpg")
    info.date_time = (1980, 0, 0, 0, 0, 0)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(info, picture("red"))
    with tarfile.open(tarred, "w") as target:
        member = tarfile.TarInfo("a.jpg")
        member.size, member.mtime = len(picture("red")), 10**12
        target.addfile(member, io.BytesIO(picture("red")))
    times = [each.fingerprint().modified for each in find_items([str(zipped), str(tarred)])]
    assert times == ["1980-00-00T00:00:00", "1000000000000.0"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_number_tells_files_of_one_name_apart(tmp_path: Path) -> None:
    file = tmp_path / "album.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for colour in ("red", "blue", "green"):
            archive.writestr("a.jpg", picture(colour))
    found = {each.name.removeprefix(f"{file}/"): each.read() for each in find_items([str(file)])}
    assert found == {
        "a.jpg": picture("red"), "a.jpg (2)": picture("blue"), "a.jpg (3)": picture("green"),
    }  # fmt: skip


def test_what_was_read_of_a_tar_is_not_held(tmp_path: Path) -> None:
    file = tmp_path / "album.tar"
    file.write_bytes(tarred({f"{number}.jpg": b"" for number in range(100)}, "tar"))
    *_, last = (
        sum(isinstance(each, tarfile.TarInfo) for each in gc.get_objects())
        for _ in find_items([str(file)])
    )
    assert last < 10
