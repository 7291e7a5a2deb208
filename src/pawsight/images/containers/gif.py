"""GIF: a screen, on which frames are painted."""

from __future__ import annotations

import struct

from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import TruncatedImage

_EXTENSION, _IMAGE = 0x21, 0x2C
_GRAPHIC_CONTROL = 0xF9  # names the transparent colour of the frame that follows


def read(data: bytes) -> FirstPicture:
    """Read a GIF up to its first frame, past comments and the like."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _palette_bytes(flags)
    head, control = data[:at], b""
    while data[at] == _EXTENSION:
        start, label = at, data[at + 1]
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
        if label == _GRAPHIC_CONTROL:
            control = data[start:at]
    if data[at] != _IMAGE:
        raise TruncatedImage("truncated: the GIF has no frame")
    left, top, columns, rows, flags = struct.unpack_from("<HHHHB", data, at + 1)
    window = (left, top, left + columns, top + rows)
    size = (max(width, window[2]), max(height, window[3]))
    return FirstPicture(head + control + data[at:], size, window=window)


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 128 else 0
