"""A finished file of answers: read again, row by row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from pawsight.bulk.journal import NotOurs, rows_of, told_nobody
from pawsight.bulk.rows import Row, columns, nested
from pawsight.bulk.sinks import Format, require_pyarrow

_NUMBERS: Final = ("confidence", "may_lose")


def read_answers(
    file: Path, kind: Format, torn: Callable[[int, int], None] = told_nobody
) -> Iterator[Row]:
    """The rows of a file that ``pawsight classify --output`` wrote.

    Args:
        file: JSON lines, CSV or Parquet; or a folder of Parquet files, read by their names.
        kind: Which of them.
        torn: Told at the end of how many lines are no whole record, if any, and how many are one:
            of a file that was broken off.

    Raises:
        NotOurs: Something else wrote it.
        ExtraMissing: Parquet without pyarrow.
        OSError: It cannot be read.
    """
    if kind == "jsonl":
        yield from rows_of(file, torn)
    elif kind == "csv":
        yield from _of_csv(file, torn)
    else:
        for part in sorted(file.glob("*.parquet")) if file.is_dir() else (file,):
            yield from _of_parquet(part)


def _of_csv(file: Path, torn: Callable[[int, int], None]) -> Iterator[Row]:
    broken = whole = 0
    with file.open(encoding="utf-8-sig", newline="") as stream:  # as editors save it, too
        rows = csv.DictReader(stream)
        try:
            labels = _labels(file, list(rows.fieldnames or ()))
            for row in rows:
                if typed := _typed(row, labels):
                    whole += 1
                    yield nested(typed, labels)
                else:
                    broken += 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise NotOurs(f"{str(file)!r} is no CSV") from error
    if broken:
        torn(broken, whole)


def _typed(row: dict[str, Any], labels: list[str]) -> Row | None:
    """A row of a CSV with its numbers; None where it is cut short."""
    if None in row or None in row.values():  # more cells than columns, or fewer
        return None
    typed: dict[str, Any] = {name: value or None for name, value in row.items()}
    try:
        for name in (*_NUMBERS, *(f"p_{label}" for label in labels)):
            typed[name] = typed[name] and float(typed[name])
        typed["size"] = typed["size"] and int(typed["size"])
    except ValueError:
        return None
    return typed


def _of_parquet(file: Path) -> Iterator[Row]:
    parquet = require_pyarrow()
    try:
        table = parquet.ParquetFile(file)
    except ValueError as error:  # pyarrow's errors of form
        raise NotOurs(f"{str(file)!r} is no Parquet") from error
    with table:
        labels = _labels(file, table.schema_arrow.names)
        for batch in table.iter_batches():
            for row in batch.to_pylist():
                yield nested(row, labels)


def _labels(file: Path, names: list[str]) -> list[str]:
    labels = [name.removeprefix("p_") for name in names if name.startswith("p_")]
    if names != columns(labels):
        raise NotOurs(f"{str(file)!r} was not written by pawsight classify")
    return labels
