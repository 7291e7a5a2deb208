"""Pictures in ZIP and tar archives, WebDataset's shards among them, from front to back."""

from __future__ import annotations

import errno
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from pawsight.bulk.items import Fingerprint, Item, Member, Unreadable, as_text, utc
from pawsight.images.decode import DEFAULT_LIMITS
from pawsight.images.formats import EXTENSIONS

_ZIP: Final = (".zip",)
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_BROKEN: Final = (
    OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    RuntimeError,
)  # fmt: skip


def is_archive(path: str) -> bool:
    """Whether a name ends as those of archives do."""
    return path.lower().endswith((*_ZIP, *_TAR))


def members(archive: Path) -> Iterator[Item]:
    """The pictures in an archive, by their names' endings, in its order, without hidden ones.

    Nothing is unpacked to the disk, and no more of a file than can be decoded to memory. Where the
    archive cannot be read on, a last item says so.
    """
    name = as_text(str(archive))
    each = _of_zip if str(archive).lower().endswith(_ZIP) else _of_tar
    met = 0
    try:
        for inside, data, found in each(archive):
            met += 1
            yield Member(f"{name}/{as_text(inside)}", data, found)
    except _BROKEN as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        after = f" after {met} pictures" if met else ""
        yield Unreadable(name, OSError(errno.EIO, f"the archive is broken{after}: {words}"))


def _of_zip(archive: Path) -> Iterator[tuple[str, bytes, Fingerprint]]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.is_dir() or not _is_picture(info.filename):
                continue
            with opened.open(info) as stream:
                data = stream.read(DEFAULT_LIMITS.max_bytes + 1)
            # ZIP keeps no time zone.
            modified = datetime(*info.date_time).isoformat()
            yield info.filename, data, Fingerprint(info.file_size, modified)


def _of_tar(archive: Path) -> Iterator[tuple[str, bytes, Fingerprint]]:
    with tarfile.open(archive, "r|*") as opened:
        for info in opened:
            stream = opened.extractfile(info) if info.isreg() and _is_picture(info.name) else None
            if stream is not None:
                data = stream.read(DEFAULT_LIMITS.max_bytes + 1)
                yield info.name, data, Fingerprint(info.size, utc(info.mtime))


def _is_picture(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts if part not in (".", ".."))
    return not hidden and os.path.splitext(name)[1].lower() in EXTENSIONS
