"""ZIP archives from anybody, opened by an index that is their own."""

from __future__ import annotations

import zipfile
from typing import IO, Final

BEGINNING: Final = b"PK\x03\x04"
"""Of the header before a file's bytes; an archive that is not empty begins so."""

ENCRYPTED: Final = 0x1
"""Flag of a file that has a password."""


UTF8: Final = 0x800
"""Flag of a file whose name is written so."""


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
    for each in opened.infolist():
        each.filename = written_name(each)
    return opened


def written_name(info: zipfile.ZipInfo) -> str:
    """A file's name as it was written.

    Without the flag of UTF-8, :mod:`zipfile` takes names for DOS's letters; macOS and others write
    UTF-8 and leave the flag out. What can be read as UTF-8 is hardly ever meant as anything else.
    """
    if info.flag_bits & UTF8 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
