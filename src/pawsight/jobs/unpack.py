"""A ZIP from anybody, unpacked into one folder within bounds, or refused as a whole."""

from __future__ import annotations

import errno
import io
import lzma
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pawsight.zips import ENCRYPTED, CutZip, begins_like_a_zip, open_zip

_LIST_BYTES: Final = 512  # of a file in the archive's list, of which its name is the most
_RATIO: Final = 100
_SMALL: Final = 10_000_000
"""An archive is a bomb if it unpacks to more than this, and to more than 100 times its size.

Pictures are packed already; drawn ones as BMP or PNG reach some tens.
"""
_LONGEST: Final = 200  # bytes of a name; file systems take 255
_DEEPEST: Final = 16
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_BROKEN: Final = (
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # also for packings that zipfile does not know
    ValueError,
)


REFUSED: Final = 3
"""The exit code of a process whose words are for whoever sent the archive."""


class Refused(ValueError):
    """An archive that is not unpacked; the words say why."""


@dataclass(frozen=True)
class Bounds:
    """What an archive may unpack to.

    Attributes:
        files: The most entries, folders among them.
        bytes: The most of all files together.
    """

    files: int
    bytes: int


class _Bounded(io.FileIO):
    """A file of which only so much is read at once.

    :mod:`zipfile` reads an archive's list whole, however long the archive says that it is.
    """

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(path)
        self._limit = limit

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._limit:
            raise Refused("the archive's list of files is too long: there are too many")
        return super().read(size) or b""


def unpack(archive: Path, folder: Path, bounds: Bounds) -> None:
    """Unpack the files of a ZIP into a folder; nothing is written anywhere else.

    Every entry is looked at before the first is written. What is refused later (a file that is
    damaged) leaves files in the folder.

    Args:
        archive: The file.
        folder: An empty folder.
        bounds: What it may unpack to.

    Raises:
        Refused: It is no ZIP, is damaged or encrypted, has too many files or unpacks to too much,
            or an entry is a link or has a name that leads out of the folder.
        OSError: It cannot be read, or the files cannot be written.
    """
    limit = max(bounds.files * _LIST_BYTES, 1_000_000)
    try:
        with _Bounded(archive, limit) as file, open_zip(file) as opened:
            entries = _checked(opened.infolist(), bounds, archive.stat().st_size)
            for info, path in entries:
                _write(opened, info, folder / path)
    except Refused:
        raise
    except _BROKEN as error:
        raise Refused(_what_is_wrong(archive, error)) from error


def _what_is_wrong(archive: Path, error: Exception) -> str:
    if isinstance(error, CutZip):
        return f"this ZIP is cut short: {error}; send it whole"
    with archive.open("rb") as file:
        if begins_like_a_zip(file) or zipfile.is_zipfile(file):
            return f"this ZIP is damaged: {error}"
    return "this is no ZIP"


def _checked(
    infos: Sequence[zipfile.ZipInfo], bounds: Bounds, packed: int
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files, with where they belong."""
    if len(infos) > bounds.files:
        raise Refused(f"it has {len(infos)} files, and may have {bounds.files}")
    total = sum(info.file_size for info in infos)
    if total > bounds.bytes:
        raise Refused(f"it unpacks to {_megabytes(total)}, and may to {_megabytes(bounds.bytes)}")
    if total > max(_SMALL, _RATIO * packed):
        raise Refused(f"it unpacks to {total // packed} times its size: pictures do not")
    entries = []
    for info in infos:
        path = _path(info.filename)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused(f"{_shown(info)} is a link, or otherwise no file")
        if info.flag_bits & ENCRYPTED:
            raise Refused(f"{_shown(info)} is encrypted: pack the pictures without a password")
        if not info.is_dir():
            entries.append((info, path))
    return entries


def _path(name: str) -> PurePosixPath:
    """Where a file belongs in the folder; programs on Windows may write backslashes.

    Raises:
        Refused: Nowhere in the folder.
    """
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if path.is_absolute() or _DRIVE.match(plain) or ".." in path.parts:
        raise Refused(f"the name {name[:80]!r} leads out of the archive")
    if not path.parts or not plain.isprintable():
        raise Refused(f"{name[:80]!r} is no name for a file")
    try:
        longest = max(len(part.encode()) for part in path.parts)
    except UnicodeEncodeError as error:
        raise Refused(f"{name[:80]!r} is no name for a file") from error
    if longest > _LONGEST or len(path.parts) > _DEEPEST:
        raise Refused(f"the name {name[:80]!r}… is too long, or lies too deep")
    return path


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Never what is there already; no more is read than the size that was added up.
        with opened.open(info) as source, target.open("xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
            raise
        raise Refused(f"{_shown(info)} is there twice, as a file or as a folder") from error


def _shown(info: zipfile.ZipInfo) -> str:
    return repr(info.filename[:80])


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB".replace(",", " ")
