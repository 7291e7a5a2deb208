"""The file of the answers: begun, gone on with, finished."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path

from pawsight.bulk.answers import read_answers
from pawsight.bulk.journal import Journal, alone, rename, rows_of, undisturbed
from pawsight.bulk.rows import Row, line
from pawsight.bulk.sinks import Format, open_sink
from pawsight.whole import written_whole


@dataclass(frozen=True)
class Output:
    """Where answers go.

    JSON lines are their own journal. CSV and Parquet, which cannot be gone on with in the middle,
    are written from a journal beside them when the run ends: until then there is no file that looks
    whole and is not.

    Attributes:
        file: That is wanted in the end.
        kind: Its format.
    """

    file: Path
    kind: Format

    @property
    def journal(self) -> Path:
        """Holds the records while the run goes on."""
        if self.kind == "jsonl":
            return self.file
        return self.file.with_name(f"{self.file.name}.journal")

    @property
    def begun(self) -> bool:
        """Whether a run has written to it."""
        return os.path.lexists(self.file) or os.path.lexists(self.journal)

    def set_aside(self) -> list[Path]:
        """Give what is there another name, under which it is kept; returns the new names.

        Raises:
            NotOurs: Another run is writing to it.
            OSError: It cannot be renamed.
        """
        with undisturbed(self.journal):
            files = dict.fromkeys((self.file, self.journal))
            return [kept_as_backup(file) for file in files if os.path.lexists(file)]

    def open(self, good: Callable[[Row], bool]) -> Journal:
        """Begin, or go on with what is there.

        Args:
            good: Whether a record of an earlier run still holds.

        Raises:
            NotOurs: What is there is no output of a run.
            ExtraMissing: Parquet without pyarrow.
            OSError: It cannot be read or written.
        """
        if self.kind != "jsonl" and self.file.exists() and not self.journal.exists():
            self._make_journal()
        return Journal(self.journal, good)

    def _make_journal(self) -> None:
        """Of the finished file; whole, or not at all."""
        fresh = self.journal.with_name(f"{self.journal.name}.begun")
        with alone(fresh) as stream:
            try:
                if self.journal.exists():  # another run has made it meanwhile
                    fresh.unlink()
                    return
                stream.truncate(0)
                for row in read_answers(self.file, self.kind):
                    stream.write(line(row).encode())
                rename(stream, fresh, self.journal)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise

    def rows(self) -> Iterator[Row]:
        """Of the finished file."""
        return read_answers(self.file, self.kind)

    def finish(self, journal: Journal, labels: Sequence[str]) -> None:
        """Make the file of what the journal holds.

        Args:
            journal: From :meth:`open`.
            labels: The model's, for the columns of a flat format, beside those of records of other
                models that stayed.

        Raises:
            OSError: It cannot be written; the journal stays.
        """
        others = journal.stale > 0
        with closing(journal):  # until then, no other run writes to either
            journal.tidy()
            if self.kind == "jsonl":
                return
            if others:
                known = (row["probabilities"] or () for row in rows_of(self.journal))
                labels = list(dict.fromkeys(chain(labels, *known)))
            with written_whole(self.file) as stream:
                text = self.kind != "parquet"
                target = TextIOWrapper(stream, "utf-8", newline="") if text else stream
                sink = open_sink(self.kind, target, labels)
                for row in rows_of(self.journal):
                    sink.write(row)
                sink.close()
            journal.remove()


def kept_as_backup(file: Path) -> Path:
    """Give a file or a folder the first free name of a backup; returns it."""
    number = 1
    while os.path.lexists(backup := file.with_name(f"{file.name}.backup-{number}")):
        number += 1
    return file.rename(backup)
