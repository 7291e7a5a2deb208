"""Pictures in ZIP and tar archives, WebDataset's shards among them, from front to back."""

from __future__ import annotations

import errno
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from pawsight.bulk.items import Fingerprint, Item, Member, Unreadable, as_text, utc
from pawsight.images.decode import DEFAULT_LIMITS
from pawsight.images.errors import ImageError
from pawsight.images.formats import EXTENSIONS

_ZIP: Final = (".zip",)
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# The last is what zipfile raises for a password and for packings that it does not know.
_NESTED: Final = "an archive inside an archive, which is not opened: unpack it, and name it itself"
_BROKEN: Final = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    ValueError,  # of what reads at addresses
)


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

    def members(self) -> Iterator[Item]:
        """The pictures in it."""
        return members(self.item.name, self.opened)


def members(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Item]:
    """The pictures in an archive, by their names' endings, in its order, without hidden ones.

    Nothing is unpacked to the disk, and no more of a file than can be decoded to memory. A file of
    a ZIP archive that cannot be read says so in its place, and so does an archive in the archive,
    which is not opened; where the archive itself cannot be read on, a last item does.

    Args:
        name: Of the archive; its ending says of what kind it is.
        opened: Opens it.
    """
    each = _of_zip if name.lower().endswith(_ZIP) else _of_tar
    met = 0
    try:
        stream = opened()
    except OSError as error:
        yield Unreadable(name, error)
        return
    try:
        with stream:
            for item in each(stream, name):
                met += 1
                yield item
    except _BROKEN as error:
        after = f" after {met} pictures" if met else ""
        yield _unreadable(name, f"the archive is broken{after}", error)


def _of_zip(archive: BinaryIO, name: str) -> Iterator[Item]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.is_dir() or not _is_wanted(info.filename):
                continue
            inside = f"{name}/{as_text(info.filename)}"
            # ZIP keeps no time zone, and some programs write a month 0.
            modified = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*info.date_time)
            found = Fingerprint(info.file_size, modified)
            if is_archive(info.filename):
                yield Unreadable(inside, ImageError(_NESTED), found)
                continue
            try:
                with opened.open(info) as stream:
                    data = stream.read(DEFAULT_LIMITS.max_bytes + 1)
            except _BROKEN as error:
                yield _unreadable(inside, "in the archive", error)
                continue
            yield Member(inside, data, found)


def _of_tar(archive: BinaryIO, name: str) -> Iterator[Item]:
    with tarfile.open(fileobj=archive, mode="r|*") as opened:
        for info in opened:
            if not (info.isreg() or info.islnk()) or not _is_wanted(info.name):
                continue
            inside = f"{name}/{as_text(info.name)}"
            found = Fingerprint(info.size, utc(info.mtime))
            if info.islnk():
                # It lies before, and what is read from front to back is not gone back in.
                target = as_text(info.linkname)
                words = f"in the archive it is a link to {target!r}, which was read: unpack it"
                yield Unreadable(inside, ImageError(words), found)
            elif is_archive(info.name):
                yield Unreadable(inside, ImageError(_NESTED), found)
            elif stream := opened.extractfile(info):
                most = min(info.size, DEFAULT_LIMITS.max_bytes + 1)
                yield Member(inside, stream.read(most), found)


def _unreadable(name: str, what: str, error: Exception) -> Unreadable:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Unreadable(name, OSError(errno.EIO, f"{what}: {words}"))


def _is_wanted(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts if part not in (".", ".."))
    is_picture = os.path.splitext(name)[1].lower() in EXTENSIONS
    return not hidden and (is_picture or is_archive(name))
