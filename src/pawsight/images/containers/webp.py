"""WebP: RIFF chunks."""

from __future__ import annotations

import struct

from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import DamagedImage, TruncatedImage


def read(data: bytes) -> FirstPicture:
    """See that a WebP is all there, and read its size."""
    end, name = 8 + int.from_bytes(data[4:8], "little"), data[12:16]
    if end > len(data):
        raise TruncatedImage("truncated: the WEBP ends before its picture does")
    if name == b"VP8X":
        size = (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    elif name == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    elif name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        size = (width & 0x3FFF, height & 0x3FFF)
    else:
        raise DamagedImage("damaged: the WEBP does not begin with a picture")
    return FirstPicture(data[:end], size, orientation=0)
