"""AVIF and HEIC: boxes in boxes (ISO base media file format)."""

from __future__ import annotations

import re
import struct

from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import TruncatedImage

# The size of each image in the file, of tiles and of what they make up alike.
_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)
# The orientation stands in a box of its own; the standard (MIAF) has readers ignore EXIF's, and a
# broken EXIF block would make Pillow refuse the picture.
_EXIF_ITEM = re.compile(rb"(infe.{8}(?:..)?)Exif", re.DOTALL)


def read(data: bytes) -> FirstPicture:
    """See that all boxes of an AVIF or HEIC are there, and find the largest size in it."""
    at = 0
    while at + 8 <= len(data):
        length: int = struct.unpack_from(">I", data, at)[0]
        if length == 1:  # the true one follows, with more digits
            (length,) = struct.unpack_from(">Q", data, at + 8)
        at += max(length, 8) if length else len(data) - at
    if at > len(data):
        raise TruncatedImage("truncated: the file ends before its picture does")
    sizes: list[tuple[int, int]] = [struct.unpack(">II", s) for s in _SIZE.findall(data)]
    largest = max(sizes, key=lambda size: size[0] * size[1], default=(1, 1))
    return FirstPicture(_EXIF_ITEM.sub(rb"\1none", data), largest, orientation=0)
