"""A picture of many: where it lies, and what says that it is still the same."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Protocol

from pawsight.images.decode import DEFAULT_LIMITS, Limits
from pawsight.images.errors import ImageError
from pawsight.images.files import read_file

_ESCAPE: Final = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")
_SEEMS_ESCAPED: Final = re.compile(r"\\(?=x(5c|[89a-f][0-9a-f]))")
_ON_WINDOWS: Final = os.sep == "\\"  # a backslash parts folders there, and no name has raw bytes


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What changes when a file does.

    Attributes:
        size: In bytes.
        modified: When it was changed last, ISO 8601 in UTC, or its tag (ETag) where only that is
            told; None where nothing is.
    """

    size: int
    modified: str | None


class Item(Protocol):
    """A picture of many."""

    @property
    def name(self) -> str:
        """Of its record: text that any encoding takes."""

    def fingerprint(self) -> Fingerprint:
        """Of the file as it is now.

        Raises:
            OSError: It cannot be asked.
        """

    def read(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """Its bytes, but no more of them than can be decoded.

        Raises:
            OSError: It cannot be read.
            ImageError: It is no picture that could be.
        """


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file of this machine.

    Attributes:
        path: Of the file.
    """

    path: Path

    @property
    def name(self) -> str:
        r"""The path; bytes that are no UTF-8 are written ``\xff``."""
        return as_text(str(self.path))

    def fingerprint(self) -> Fingerprint:
        """Size and time of the file."""
        found = self.path.stat()
        return Fingerprint(found.st_size, utc(found.st_mtime))

    def read(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """The file's bytes."""
        return read_file(self.path, limits)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, which was read when it was met: archives are read from front to back.

    Attributes:
        name: The archive's and its own.
        data: Its bytes, at most one more than can be decoded.
        found: What the archive says of it.
    """

    name: str
    data: bytes = field(repr=False)
    found: Fingerprint

    def fingerprint(self) -> Fingerprint:
        """What the archive says of it."""
        return self.found

    def read(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """Its bytes."""
        return self.data


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What should have held pictures and cannot be read, or not from where it lies.

    Attributes:
        name: Of its record.
        error: Why; an ImageError where it would be the same tomorrow.
        found: Of the file; None where nothing could have stayed the same.
    """

    name: str
    error: OSError | ImageError
    found: Fingerprint | None = None

    def fingerprint(self) -> Fingerprint:
        """Of the file, if there is one."""
        if self.found is None:
            raise self.error
        return self.found

    def read(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """Nothing."""
        raise self.error


def as_text(name: str) -> str:
    r"""A name as text that any encoding takes, and no other name's.

    Bytes that are no UTF-8 are written ``\xff``, and the backslash of a name in which that stands
    as it is ``\x5c``.
    """
    if "\\" in name and not _ON_WINDOWS:
        name = _SEEMS_ESCAPED.sub(r"\\x5c", name)
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def as_path(text: str) -> Path:
    """The file of this machine whose name :func:`as_text` wrote so."""
    if _ON_WINDOWS:
        return Path(text)
    raw = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode())
    return Path(os.fsdecode(raw))


def utc(seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the microsecond; as it is, where it lies in no year."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    except (OverflowError, ValueError, OSError):  # a file's time may be any number
        return str(seconds)
