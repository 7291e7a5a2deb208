"""ZIP archives from anybody, opened by an index that is their own."""

from __future__ import annotations

import zipfile
from typing import IO, Final

BEGINNING: Final = b"PK\x03\x04"
"""Of the header before a file's bytes; an archive that is not empty begins so."""

ENCRYPTED: Final = 0x1
"""Flag of a file that has a password."""


class CutZip(zipfile.BadZipFile):
    """A ZIP archive without the index at its end."""


def begins_like_a_zip(archive: IO[bytes]) -> bool:
    """Whether the first file's header stands where it has to."""
    archive.seek(0)
    return archive.read(len(BEGINNING)) == BEGINNING


def open_zip(archive: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive by its own index.

    A cut archive may hold a whole one, of which :mod:`zipfile` would take the index: nothing in
    that stands where the cut one's first file does.

    Raises:
        CutZip: There is no index, or it is that of an archive inside this one.
        BadZipFile: It is no ZIP, or its index is damaged.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        if begins_like_a_zip(archive) and not zipfile.is_zipfile(archive):
            raise CutZip("its index, at the end, is missing") from error
        raise
    if all(each.header_offset for each in opened.infolist()) and begins_like_a_zip(archive):
        raise CutZip("its index is missing: what is there is of an archive inside it")
    return opened
