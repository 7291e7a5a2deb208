"""EXIF: the one thing that a picture's metadata says and that matters here, which way is up."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIENTATION = 0x0112

_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTHS |= {16: 8, 17: 8, 18: 8}


class Entry(NamedTuple):
    """One entry of a TIFF directory.

    Attributes:
        at: Where it stands in the file.
        tag: What it tells.
        length: How many values it has.
        value: The first of them, where it is a whole number that stands in the entry itself.
        start: Where its values begin in the file.
        size: How many bytes they take there; 0 where they stand in the entry.
    """

    at: int
    tag: int
    length: int
    value: int
    start: int
    size: int


def directory(data: bytes, order: str, at: int, *, big: bool = False) -> Iterator[Entry]:
    """Walk the entries of the TIFF directory that begins at ``at``.

    Raises:
        struct.error: The data end before the directory does.
    """
    head, entry, offset = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    (entries,) = struct.unpack_from(order + head, data, at)
    at += struct.calcsize(order + head)
    for _ in range(entries):
        tag, kind, count, raw = struct.unpack_from(order + entry, data, at)
        size = _WIDTHS.get(kind, 0) * count
        if size > len(raw):
            (start,) = struct.unpack(order + offset, raw)
            yield Entry(at, tag, count, 0, start, size)
        else:
            whole = _INTEGERS.get(kind) if count else None
            value = struct.unpack_from(order + whole, raw)[0] if whole else 0
            yield Entry(at, tag, count, value, at, 0)
        at += struct.calcsize(order + entry)
    struct.unpack_from(order + offset, data, at)  # where the next directory would begin


def byte_order(header: bytes) -> str:
    """The order of a TIFF header, as :mod:`struct` writes it."""
    return "<" if header[:2] == b"II" else ">"


def orientation(exif: bytes) -> int:
    """How an EXIF block says that its picture lies: 1 to 8 mean something, 1 if it says nothing."""
    block = exif.removeprefix(b"Exif\0\0")
    order = byte_order(block)
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        return next((e.value for e in directory(block, order, first) if e.tag == ORIENTATION), 1)
    except struct.error:
        return 1
