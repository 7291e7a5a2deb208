"""A folder of Parquet files, one a partition: each is there whole, or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from pawsight.bulk.answers import read_answers
from pawsight.bulk.digests import digest
from pawsight.bulk.journal import NotOurs
from pawsight.bulk.output import kept_as_backup
from pawsight.bulk.partitions import Partition
from pawsight.bulk.rows import Row, would_be_said_again
from pawsight.bulk.sinks import ParquetSink, require_pyarrow
from pawsight.images.decode import DEFAULT_LIMITS, Limits
from pawsight.whole import written_whole

_PART: Final = re.compile(r"part-([0-9a-f]{16})-([0-9a-f]{16})\.parquet")
_FRESH: Final = ".fresh"
_CUT_DOWN: Final = "0" * 16  # in place of a state: of no partition


def packed(rows: Iterable[Row], labels: Sequence[str]) -> bytes:
    """Rows as a Parquet file.

    Args:
        rows: Of :meth:`pawsight.bulk.rows.Record.row`.
        labels: The model's.
    """
    target = BytesIO()
    sink = ParquetSink(target, labels)
    for row in rows:
        sink.write(row)
    sink.close()
    return target.getvalue()


class Parts:
    """The answers of a run over partitions.

    Args:
        folder: Made when the first part is put there.

    Raises:
        NotOurs: Something else is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.exists() and not folder.is_dir():
            raise NotOurs(f"{str(folder)!r} is a file, and a folder for the parts is wanted")
        for name in os.listdir(folder) if folder.is_dir() else ():
            if not (_PART.fullmatch(name) or name.endswith(_FRESH)):
                raise NotOurs(f"{str(folder)!r} holds {name!r}, which pawsight did not write there")

    @property
    def files(self) -> list[Path]:
        """The parts that are there, sorted by name."""
        return sorted(self.folder.glob("part-*.parquet"))

    @property
    def begun(self) -> bool:
        """Whether a run has written to it."""
        return bool(self.files)

    def set_aside(self) -> Path:
        """Give the folder another name, under which it is kept; returns the new one."""
        return kept_as_backup(self.folder)

    def file_of(self, partition: Partition) -> Path:
        """Where the answers of a partition, as it is now, lie or will lie."""
        return self.folder / f"part-{partition.names}-{partition.state}.parquet"

    def holds(self, partition: Partition, limits: Limits = DEFAULT_LIMITS) -> bool:
        """Whether a partition, as it is now, was answered, and would not be otherwise now."""
        file = self.file_of(partition)
        if not file.exists():
            return False
        errors = require_pyarrow().read_table(file, columns=["error"])["error"].to_pylist()
        return all(would_be_said_again(error, limits) for error in errors if error)

    def put(self, name: str, data: bytes) -> None:
        """Put a part there, and take away what was answered about the same pictures before.

        Raises:
            OSError: It cannot be written; what was there stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_whole(self.folder / name, self.folder / f".{name}{_FRESH}") as stream:
            stream.write(data)
        for older in self.folder.glob(f"{_of_pictures(name)}*.parquet"):
            if older.name != name:
                older.unlink()

    def tidy(self, current: Iterable[Partition], looked: Iterable[str] = ()) -> None:
        """Take away answers that were given again in another part.

        Pictures that are added or go move where partitions are cut. Answers about pictures that
        nobody has named this time stay; what a killed run had not written whole goes.

        Args:
            current: All partitions of the run, each of which has its part.
            looked: What was looked through: a record that it could not be is of an earlier run.
        """
        for begun in self.folder.glob(f".*{_FRESH}"):
            begun.unlink()
        kept: set[Path] = set()
        names = {digest(name) for name in looked}
        for partition in current:
            kept.add(self.file_of(partition))
            names.update(digest(name) for name in partition.of_files())
        parquet = require_pyarrow()
        for file in set(self.files) - kept:
            table = parquet.read_table(file)
            mask = [digest(path) not in names for path in table["path"].to_pylist()]
            if not any(mask):
                file.unlink()
            elif not all(mask):
                rest = BytesIO()
                parquet.write_table(table.filter(mask), rest)
                # Under a name that no partition has: it is not the whole of its own any more.
                self.put(f"{_of_pictures(file.name)}{_CUT_DOWN}.parquet", rest.getvalue())

    def rows(self) -> Iterator[Row]:
        """Of all parts."""
        return read_answers(self.folder, "parquet")


def _of_pictures(name: str) -> str:
    """What the names of all parts about the same pictures begin with, whatever their state is."""
    return f"{name.rpartition('-')[0]}-"
