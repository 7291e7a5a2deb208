"""The pictures to look at oneself: those that a model was least sure about, on one page."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import count
from typing import Any

from pawsight.bulk.items import as_path
from pawsight.bulk.rows import Row
from pawsight.html import render_template
from pawsight.labels import NEITHER


class LeastSure:
    """Keeps the rows with the least confidence of any number that come by.

    Those called ``neither`` are not among them: their confidence is that of another question.

    Args:
        most: How many to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, Row]] = []
        self._order = count()

    def take(self, row: Row) -> None:
        """Look at one row."""
        if row["error"] is not None or row["label"] == NEITHER:
            return
        entry = (-row["confidence"], -next(self._order), row)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def rows(self) -> list[Row]:
        """What was kept, the least sure first."""
        return [row for _, _, row in sorted(self._heap, reverse=True)]


def render_sheet(rows: Iterable[Mapping[str, Any]], title: str, words: str) -> str:
    """A page of pictures with what was said of them.

    Args:
        rows: Each with ``path`` and ``said``, a list of lines.
        title: Of the page.
        words: Below it.
    """
    template = (files("pawsight.bulk") / "sheet.html.jinja").read_text(encoding="utf-8")
    shown = [{**row, "file": str(as_path(row["path"]))} for row in rows]
    return render_template(template, rows=shown, title=title, words=words)
