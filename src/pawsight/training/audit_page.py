"""Doubted labels as one HTML file with the pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from pawsight.evaluation.page import thumbnail
from pawsight.training.audit import Doubt


def render_doubts(doubts: Sequence[Doubt], pictures: int, most: int) -> str:
    """The page.

    Args:
        doubts: The worst first.
        pictures: How many labels were looked at.
        most: How many doubts are shown.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"thumbnail": thumbnail, "file_name": lambda path: Path(path).name}
    template = (files("pawsight.training") / "audit.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        doubts=doubts[:most], count=len(doubts), pictures=pictures
    )
