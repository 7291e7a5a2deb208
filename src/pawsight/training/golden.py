"""Golden pictures: drawn, so that no one's photograph has to travel with a model."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

COUNT: Final = 4


def golden_pictures() -> dict[str, bytes]:
    """File name → encoded picture: the same ones at every call.

    Soft blots of colour under fine stripes: the coarse part moves the logits, the fine part shows
    when a resize filter or a decoder differs. Two are PNG, two JPEG; one lies on its side by EXIF.
    """
    return {
        f"golden-{number}.{'png' if number % 2 else 'jpg'}": _encode(_draw(number), number)
        for number in range(COUNT)
    }


def _draw(number: int) -> Image.Image:
    random = np.random.default_rng(number)
    width, height = (320, 240) if number % 2 else (240, 320)
    picture = Image.new("RGB", (width, height), tuple(random.integers(40, 216, 3).tolist()))
    brush = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(20, 120, 2)
        colour = tuple(random.integers(0, 256, 3).tolist())
        brush.ellipse((x - w, y - h, x + w, y + h), fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(6))
    brush = ImageDraw.Draw(picture)
    for start in range(0, width, 5 + number):
        shade = tuple(random.integers(0, 256, 3).tolist())
        brush.line((start, 0, start + int(random.integers(-60, 60)), height), fill=shade)
    return picture


def _encode(picture: Image.Image, number: int) -> bytes:
    buffer = io.BytesIO()
    if number % 2:
        picture.save(buffer, "PNG", optimize=True)
    else:
        exif = Image.Exif()
        exif[0x0112] = 6 if number == 0 else 1
        picture.save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue()
