"""Pages that need nothing beside them: templates, and pictures as part of the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined
from PIL import Image

from pawsight.images.decode import decode
from pawsight.images.errors import ImageError
from pawsight.images.files import read_file

_THUMBNAIL: Final = 168  # pixels of the longer side


def render_template(template: str, **values: object) -> str:
    """Fill a page's template.

    Its filters are ``thumbnail`` (a picture's path as a small picture's data URI, empty where it
    cannot be read any more), ``percent`` and ``plain`` (numbers, a dash for None), ``file_name``.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": _or_dash(lambda share: f"{share:.2%}"),
        "plain": _or_dash(lambda value: f"{value:.4f}"),
        "thumbnail": thumbnail,
        "file_name": lambda path: Path(path).name,
    }
    return environment.from_string(template).render(values)


def _or_dash(shown: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: "–" if value is None else shown(value)


def thumbnail(path: str) -> str:
    """A small JPEG of a picture as a data URI; empty where it cannot be read any more."""
    try:
        pixels = decode(read_file(Path(path)), at_least=(_THUMBNAIL, _THUMBNAIL))
    except (ImageError, OSError):
        return ""
    image = Image.fromarray(pixels)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
