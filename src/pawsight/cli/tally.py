"""What a long run tells while it goes on, and at its end."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import typer

from pawsight.plurals import counted

_SECONDS: Final = 60.0  # between two lines of a log


class Tally:
    """Counts answers by label, and errors.

    Attributes:
        labels: How many pictures were given each label.
        failed: How many could not be used.
        skipped: How many were met that have a record of an earlier run.
        answered_before: How many were answered by earlier runs.
        failed_before: How many could not be used by earlier runs.
        total: How many there are, once that is known.
        empty: What the user named that there is nothing in.
    """

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        self.failed = 0
        self.skipped = 0
        self.answered_before = 0
        self.failed_before = 0
        self.total: int | None = None
        self.empty: list[str] = []
        self._start = monotonic()

    @property
    def done(self) -> int:
        """How many were answered, or could not be."""
        return self.labels.total() + self.failed

    def add(self, label: str | None) -> None:
        """Count a picture; None for one that could not be used."""
        if label is None:
            self.failed += 1
        else:
            self.labels[label] += 1

    def add_empty(self, source: str) -> None:
        """Keep a source that there is nothing in, and say so now: a run may go on for hours."""
        self.empty.append(source)
        typer.echo(f"pawsight: no pictures in {source!r}{_unopened_in(source)}", err=True)

    def words(self) -> str:
        """How far it is, in a line."""
        rate = self.done / max(monotonic() - self._start, 1e-9)
        parts = [counted(self.done, "file"), f"{rate:,.0f} a second"]
        if self.total is not None and self.done:
            left = max(self.total - self.done - self.skipped, 0) / max(rate, 1e-9)
            parts.append(f"{_span(left)} left")
        if self.skipped:
            parts.append(f"{self.skipped:,} answered before")
        parts.append(counted(self.failed, "error"))
        return ", ".join(parts) + self._by_label()

    def _by_label(self) -> str:
        said = ", ".join(f"{label} {count:,}" for label, count in self.labels.most_common())
        return f"; {said}" if said else ""

    def summary(self) -> str:
        """What came out, in a line."""
        nothing = f"; no pictures in {', '.join(map(repr, self.empty))}" if self.empty else ""
        counts = f"{counted(self.done, 'file')}, {counted(self.failed, 'error')}"
        return f"{counts}{self._by_label()}{nothing}"


def _unopened_in(source: str) -> str:
    """What to say of a folder that has archives or lists, which are looked into where named."""
    from pawsight.bulk.archives import is_archive
    from pawsight.bulk.lists import is_list

    if os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            if is_archive(name) or is_list(name):
                path = os.path.join(source, name)
                return f"; archives and lists are looked into where they are named, as {path!r} is"
    return ""


@contextmanager
def shown(tally: Tally, count: Callable[[], int] | None) -> Iterator[Callable[[], None]]:
    """Show a tally on a terminal as it grows, elsewhere a line a minute.

    Args:
        tally: It.
        count: Finds out how many there are, beside the work; None where that would be as much work.

    Yields:
        To be called whenever it has grown.
    """
    if count is not None:
        find = count

        def finish() -> None:
            tally.total = find()

        threading.Thread(target=finish, name="counting", daemon=True).start()
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("classifying") as status:
            yield _every(0.2, lambda: status.update(tally.words()))
    else:
        yield _every(_SECONDS, lambda: typer.echo(f"pawsight: {tally.words()}", err=True))


def _every(seconds: float, show: Callable[[], None]) -> Callable[[], None]:
    last = monotonic()

    def maybe() -> None:
        nonlocal last
        if monotonic() - last >= seconds:
            last = monotonic()
            show()

    return maybe


def _span(seconds: float) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{hours} h"
