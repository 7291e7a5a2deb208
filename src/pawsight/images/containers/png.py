"""PNG: a file of named chunks."""

from __future__ import annotations

import struct

from pawsight.images.containers.exif import orientation
from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import DamagedImage, TruncatedImage

_NEEDED = frozenset([b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"])


def read(data: bytes) -> FirstPicture:
    """Read the chunks of a PNG; without those of an animation, its first picture remains."""
    kept = [data[:8]]
    exif = b""
    at = 8
    name = b""
    while name != b"IEND":
        if at + 12 > len(data):
            raise TruncatedImage("truncated: the PNG ends before its picture does")
        length, name = struct.unpack_from(">I4s", data, at)
        if name in _NEEDED:
            kept.append(data[at : at + 12 + length])
        elif name == b"eXIf":
            exif = data[at + 8 : at + 8 + length]
        at += 12 + length
    if kept[1][4:8] != b"IHDR":
        raise DamagedImage("damaged: the PNG does not begin with its header")
    size: tuple[int, int] = struct.unpack_from(">II", kept[1], 8)
    return FirstPicture(b"".join(kept), size, orientation(exif))
