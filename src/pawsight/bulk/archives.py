"""Pictures in ZIP and tar archives, WebDataset's shards among them, from front to back."""

from __future__ import annotations

import errno
import lzma
import os
import posixpath
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from tarfile import EmptyHeaderError, TruncatedHeaderError  # type: ignore[attr-defined]
from typing import BinaryIO, Final, TypeAlias, cast

from pawsight.bulk.cut_zips import EndUnknown, whole_files, without_index
from pawsight.bulk.digests import Digests, digest
from pawsight.bulk.items import Fingerprint, Item, Member, Unreadable, as_text, utc
from pawsight.images.decode import DEFAULT_LIMITS, Limits, too_large
from pawsight.images.errors import ImageError
from pawsight.images.formats import EXTENSIONS
from pawsight.plurals import counted
from pawsight.zips import ENCRYPTED, begins_like_a_zip, open_zip

_ZIP: Final = (".zip",)
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_NESTED: Final = "an archive inside an archive, which is not opened: unpack it, and name it itself"
_ENCRYPTED: Final = "in the archive it is encrypted: pack it without a password, or unpack it"
_NO_INDEX: Final = "its index, at the end, is missing; what lies whole before the cut was read"
_NO_END: Final = "its end, or the mark of it, is missing"
_NOTHING: Final = "it ends before its first file can be unpacked"
_EMPTY: Final = "the file is empty, 0 bytes"
_AGAIN: Final = "copy it again, whole"
_NO_PARTS: Final = (
    "the server gives no parts of a file, by which an archive is read: "
    "fetch it first, and name the copy"
)
_TOLD_BY: Final = ("support range requests", "Cannot seek streaming HTTP")  # fsspec's words
_PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # the beginnings of gzip, bzip2 and xz
_BROKEN: Final = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # of zipfile, for packings that it does not know
    ValueError,  # of what reads at addresses
)

_Inside: TypeAlias = Member | Unreadable


def is_archive(path: str) -> bool:
    """Whether a name ends as those of archives do."""
    return path.lower().endswith((*_ZIP, *_TAR))


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that nobody has looked into yet.

    Attributes:
        item: The archive as a file.
        opened: Opens it.
    """

    item: Item
    opened: Callable[[], BinaryIO]

    def members(self, limits: Limits = DEFAULT_LIMITS) -> Iterator[Item]:
        """The pictures in it."""
        return members(self.item.name, self.opened, limits)


def members(
    name: str, opened: Callable[[], BinaryIO], limits: Limits = DEFAULT_LIMITS
) -> Iterator[Item]:
    """The pictures in an archive, by their names' endings, in its order, without hidden ones.

    Nothing is unpacked to the disk, and nothing that is too large to decode to memory. A file of a
    ZIP archive that cannot be read says so in its place, and so does an archive in the archive,
    which is not opened; where the archive itself cannot be read on, a last item does. Of an archive
    that is cut short, what lies whole before the cut is there. Of files of the same name each is
    there: the second is called ``cat.jpg (2)``.

    Args:
        name: Of the archive; its ending says of what kind it is.
        opened: Opens it.
        limits: What a picture may cost.
    """
    each = _of_zip if name.lower().endswith(_ZIP) else _of_tar
    met, names, again = 0, Digests(), Counter[str]()
    try:
        stream = opened()
    except OSError as error:
        yield Unreadable(name, error)
        return
    try:
        with stream:
            for item in each(stream, name, limits):
                met += 1
                name_of_it = digest(item.name)
                if name_of_it not in names:
                    names.add(name_of_it)
                    yield item
                    continue
                again[item.name] += 1
                # No other's name: it does not end as a picture's does, nor as an archive's.
                yield replace(item, name=f"{item.name} ({again[item.name] + 1})")
    except _CutShort as error:
        words = f"the archive is cut short{_after(met)}: {error}; {_AGAIN}"
        yield Unreadable(name, OSError(errno.EIO, words))
    except _BROKEN as error:
        yield _unreadable(name, f"the archive is broken{_after(met)}", error)


class _CutShort(Exception):
    """An archive ends before its end; the words say what is missing."""


def _after(met: int) -> str:
    return f" after {counted(met, 'picture')}" if met else ""


def _of_zip(archive: BinaryIO, name: str, limits: Limits) -> Iterator[_Inside]:
    try:
        opened = open_zip(archive)
    except zipfile.BadZipFile as error:
        if archive.seek(0, os.SEEK_END) == 0:
            raise zipfile.BadZipFile(f"{_EMPTY}; {_AGAIN}") from error
        if not begins_like_a_zip(archive):
            raise
        try:
            with without_index(archive) as opened:
                yield from _files_of_zip(opened, whole_files(archive), name, limits)
        except EndUnknown as unknown:
            words = f"{_NO_INDEX}, up to {unknown.name!r}, of which nothing says where it ends"
            raise _CutShort(words) from unknown
        raise _CutShort(_NO_INDEX) from None
    with opened:
        yield from _files_of_zip(opened, opened.infolist(), name, limits)


def _files_of_zip(
    opened: zipfile.ZipFile, infos: Iterable[zipfile.ZipInfo], name: str, limits: Limits
) -> Iterator[_Inside]:
    for info in infos:
        if info.is_dir() or not _is_wanted(info.filename):
            continue
        inside = f"{name}/{as_text(info.filename)}"
        # ZIP keeps no time zone, and some programs write a month 0.
        modified = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*info.date_time)
        found = Fingerprint(info.file_size, modified)
        if refused := _refused(info.filename, info.file_size, limits):
            yield Unreadable(inside, refused, found)
            continue
        if info.flag_bits & ENCRYPTED:
            yield Unreadable(inside, OSError(errno.EIO, _ENCRYPTED), found)
            continue
        try:
            with opened.open(info) as stream:  # which may unpack to more than it says
                data = stream.read(limits.max_bytes + 1)
        except _BROKEN as error:
            yield _unreadable(inside, "in the archive", error)
            continue
        yield Member(inside, data, found)


class _Header(tarfile.TarInfo):
    """A header of a tar archive, which is cut short where one should be and is none, or half.

    :mod:`tarfile` takes the end of the file for that of the archive, which has a mark.
    """

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Header:
        """The next one."""
        try:
            return super().fromtarfile(tarfile)
        except (EmptyHeaderError, TruncatedHeaderError):
            if tarfile.offset == 0:  # no archive at all
                raise
            raise _CutShort(_NO_END) from None


def _of_tar(archive: BinaryIO, name: str, limits: Limits) -> Iterator[_Inside]:
    try:
        with _opened_tar(archive) as opened:
            yield from _files_of_tar(opened, name, limits)
    except tarfile.ReadError as error:
        if str(error) != "unexpected end of data":  # of what is in the archive
            raise
        raise _CutShort(_NO_END) from error


def _opened_tar(archive: BinaryIO) -> tarfile.TarFile:
    """Open a tar archive at its first header; that there is none is said in plain words."""
    beginning = _Beginning(archive)
    try:
        return tarfile.open(fileobj=cast("BinaryIO", beginning), mode="r|*", tarinfo=_Header)
    except (tarfile.ReadError, TypeError) as error:  # the latter where gzip's own header is cut
        is_short = isinstance(error, TypeError) or str(error) in ("empty file", "truncated header")
        if not beginning.data:
            raise tarfile.ReadError(f"{_EMPTY}; {_AGAIN}") from error
        if is_short and beginning.data.startswith(_PACKED):
            raise _CutShort(_NOTHING) from error
        if is_short:
            raise tarfile.ReadError("it is shorter than the header of a tar") from error
        raise


class _Beginning:
    """A stream whose first bytes are kept."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.data = b""

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.data = self.data or data[:8]
        return data


def _files_of_tar(opened: tarfile.TarFile, name: str, limits: Limits) -> Iterator[_Inside]:
    there, read = Digests(), Digests()
    while info := opened.next():
        opened.members.clear()  # type: ignore[attr-defined]  # it keeps all, for whom goes back
        path = digest(as_text(posixpath.normpath(info.name)))
        there.add(path)
        if not (info.isreg() or info.islnk() or info.issym()) or not _is_wanted(info.name):
            continue
        inside = f"{name}/{as_text(info.name)}"
        found = Fingerprint(info.size, utc(info.mtime))
        if info.islnk() or info.issym():
            yield Unreadable(inside, _link(info, there, read), found)
        elif refused := _refused(info.name, info.size, limits):
            yield Unreadable(inside, refused, found)
        elif stream := opened.extractfile(info):
            yield Member(inside, stream.read(), found)
            read.add(path)


def _link(info: tarfile.TarInfo, there: Digests, read: Digests) -> ImageError:
    """What a link leads to: what is read from front to back is not gone back in."""
    target = info.linkname  # of a hard link, a name in the archive
    if info.issym():
        target = posixpath.join(posixpath.dirname(info.name), target)
    target = posixpath.normpath(target)
    path = digest(as_text(target))
    words = f"in the archive it is a link to {as_text(info.linkname)!r}, which"
    if path in there:
        return ImageError(f"{words} was {'' if path in read else 'not '}read: unpack it")
    if info.islnk() or target.startswith(("/", "../")):
        return ImageError(f"{words} is not there: pack the picture itself")
    return ImageError(f"{words} does not lie before it: unpack it")


def _refused(name: str, size: int, limits: Limits) -> ImageError | None:
    """Why a file in an archive is not even read."""
    if is_archive(name):
        return ImageError(_NESTED)
    return too_large(size, limits) if size > limits.max_bytes else None


def _unreadable(name: str, what: str, error: Exception) -> Unreadable:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, ValueError) and any(told in words for told in _TOLD_BY):
        return Unreadable(name, OSError(errno.EIO, _NO_PARTS))
    return Unreadable(name, OSError(errno.EIO, f"{what}: {words}"))


def _is_wanted(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts if part not in (".", ".."))
    is_picture = os.path.splitext(name)[1].lower() in EXTENSIONS
    return not hidden and (is_picture or is_archive(name))
