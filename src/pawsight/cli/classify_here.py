"""``pawsight classify`` on this machine: a row for each picture, to a stream or to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pawsight.cli.aftermath import Aftermath
from pawsight.cli.common import refusing
from pawsight.cli.tally import Tally, shown
from pawsight.plurals import counted

if TYPE_CHECKING:
    from pawsight.bulk.items import Item
    from pawsight.bulk.journal import Journal
    from pawsight.bulk.output import Output
    from pawsight.bulk.rows import Row
    from pawsight.bulk.sinks import Format
    from pawsight.images.decode import Limits
    from pawsight.inference.model import Model


class Run:
    """One run.

    Args:
        model: Asked.
        paths: As the user named them.
        workers: Threads.
        may_lose: The setting of the model.
        limits: What a picture may cost.
    """

    def __init__(
        self,
        model: Model,
        paths: list[str],
        workers: int,
        may_lose: float | None,
        limits: Limits,
    ) -> None:
        self._model = model
        self._paths = paths
        self._workers = workers
        self._may_lose = may_lose
        self._limits = limits

    def to_stream(self, kind: Format, file: Path | None, after: Aftermath) -> Tally:
        """Write a row for each picture as it comes, to a new file or to standard output."""
        from pawsight.bulk.sinks import open_sink

        tally = Tally()
        with ExitStack() as stack:
            stream = sys.stdout
            if file:
                stream = stack.enter_context(file.open("x", encoding="utf-8"))
            sink = open_sink(kind, stream, self._model.card.labels)
            stack.callback(sink.close)
            for row in self._rows(tally):
                sink.write(row)
                after.take(row)
        return tally

    def to_file(self, output: Output) -> Tally:
        """Write a row for each picture that has none yet, and finish the file."""
        from pawsight.bulk.journal import NotOurs
        from pawsight.extras import ExtraMissing

        with refusing(NotOurs, ExtraMissing):
            journal = output.open(self._holds)
        tally = Tally()
        if journal.torn:
            typer.echo("pawsight: a record was cut short, and is written again", err=True)
        if journal.stale:
            why = {
                "of another model or setting": journal.stale - journal.unread,
                "of what could not be read, or was too large": journal.unread,
            }
            records = [f"{counted(n, 'record')} {words}" for words, n in why.items() if n]
            typer.echo(
                f"pawsight: {', '.join(records)}: what is found is asked again, the others stay",
                err=True,
            )
        try:
            for row in self._rows(tally, journal):
                journal.write(row)
        except KeyboardInterrupt:
            journal.close()
            typer.echo(f"pawsight: stopped; --resume goes on with {str(output.file)!r}", err=True)
            raise typer.Exit(130) from None
        if journal.changed:
            words = f"{counted(journal.changed, 'file')} that changed since: asked again"
            typer.echo(f"pawsight: {words}", err=True)
        tally.answered_before, tally.failed_before = journal.answered, journal.failed
        if tally.done + tally.answered_before + tally.failed_before + journal.stale:
            with refusing(ExtraMissing):
                output.finish(journal, self._model.card.labels)
        else:
            journal.remove()
        return tally

    def _holds(self, row: Row) -> bool:
        """Whether a record still says what would be said now, if its file is the same."""
        from pawsight.bulk.rows import would_be_said_again

        if row["error"] is not None:
            return would_be_said_again(row["error"], self._limits)
        asked = (str(self._model.reference), self._may_lose)
        return (row["model"], row["may_lose"]) == asked

    def _rows(self, tally: Tally, journal: Journal | None = None) -> Iterator[Row]:
        from pawsight.bulk.archives import is_archive
        from pawsight.bulk.lists import STANDARD_INPUT, is_list
        from pawsight.bulk.pipeline import classify
        from pawsight.bulk.sources import find_items, find_pictures, nobody
        from pawsight.bulk.stores import is_address

        looked = journal.forget_trouble_of if journal else nobody

        def new() -> Iterator[Item]:
            for item in find_items(self._paths, tally.add_empty, looked, self._limits):
                if journal and journal.has(item):
                    tally.skipped += 1
                else:
                    yield item

        def count() -> int:
            return sum(1 for _ in find_pictures(self._paths))

        countable = not any(
            path == STANDARD_INPUT or is_address(path) or is_archive(path) or is_list(path)
            for path in self._paths
        )
        with shown(tally, count if countable else None) as grown:
            for record in classify(self._model, new(), self._workers, self._limits):
                yield record.row(self._may_lose)
                tally.add(record.prediction.label if record.prediction else None)
                grown()
