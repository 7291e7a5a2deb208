"""Doubted labels as one HTML file with the pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from pawsight.html import render_template
from pawsight.training.audit import Doubt


def render_doubts(doubts: Sequence[Doubt], pictures: int, most: int) -> str:
    """The page.

    Args:
        doubts: The worst first.
        pictures: How many labels were looked at.
        most: How many doubts are shown.
    """
    template = (files("pawsight.training") / "audit.html.jinja").read_text(encoding="utf-8")
    return render_template(template, doubts=doubts[:most], count=len(doubts), pictures=pictures)
