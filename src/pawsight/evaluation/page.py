"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined
from PIL import Image

from pawsight.evaluation.plots import plots
from pawsight.evaluation.report import Report
from pawsight.images.decode import decode

_THUMBNAIL: Final = 168  # pixels of the longer side


def render_page(report: Report) -> str:
    """The whole page, with plots and thumbnails inside."""
    template = (files("pawsight.evaluation") / "page.html.jinja").read_text(encoding="utf-8")
    return render_template(template, report=report.as_dict(), plots=plots(report.evaluations))


def render_template(template: str, **values: object) -> str:
    """Fill a page's template, which may show pictures by the filter ``thumbnail``."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": _or_dash(lambda share: f"{share:.2%}"),
        "plain": _or_dash(lambda value: f"{value:.4f}"),
        "thumbnail": _thumbnail,
        "file_name": lambda path: Path(path).name,
    }
    return environment.from_string(template).render(values)


def _or_dash(shown: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: "–" if value is None else shown(value)


def _thumbnail(path: str) -> str:
    """A small JPEG of a picture, as a data URI."""
    pixels = decode(Path(path).read_bytes(), at_least=(_THUMBNAIL, _THUMBNAIL))
    image = Image.fromarray(pixels)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
