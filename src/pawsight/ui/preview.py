"""Small pictures for the page, of formats that browsers do not show as well."""

from __future__ import annotations

import base64
import io
from typing import Final

import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()

_LONGEST: Final = 720  # pixels: a card's width on a screen of double density


def preview(data: bytes, longest: int = _LONGEST) -> str:
    """A data URI of the picture, upright and small; empty where it cannot be made.

    Args:
        data: A picture that the service has answered, and thus within its limits.
        longest: Pixels of its longer side.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (longest, longest))
            image.thumbnail((longest, longest))
            small = ImageOps.exif_transpose(image)
            file = io.BytesIO()
            small.convert("RGBA" if small.has_transparency_data else "RGB").save(file, "WEBP")
    except Exception:  # noqa: BLE001 - a preview is never worth a failure
        return ""
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
