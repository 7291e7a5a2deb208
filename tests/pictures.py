"""Pictures for tests, good and bad."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

COLOURS = {
    "red": (210, 45, 40),
    "blue": (40, 50, 210),
    "green": (40, 200, 60),
    "black": (0, 0, 0),
    "purple": (130, 30, 128),
}


def picture(colour: str, kind: str = "JPEG", size: tuple[int, int] = (160, 120)) -> bytes:
    """A picture of one colour with some grain, in any format that Pillow writes.

    Args:
        colour: One of :data:`COLOURS`.
        kind: ``JPEG``, ``PNG``, ``HEIF`` and so on.
        size: Width and height in pixels.
    """
    grain = np.random.default_rng(0).integers(-12, 13, (size[1], size[0], 3))
    pixels = np.clip(np.array(COLOURS[colour]) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def truncated_jpeg() -> bytes:
    """The first half of a JPEG."""
    whole = picture("red")
    return whole[: len(whole) // 2]


def damaged_png() -> bytes:
    """A PNG with other bytes in the middle of its pixels."""
    whole = picture("red", "PNG")
    middle = len(whole) // 2
    return whole[:middle] + b"?" * 64 + whole[middle + 64 :]


def bomb(side: int = 30_000) -> bytes:
    """A PNG of a few bytes whose header claims ``side × side`` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 99)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
