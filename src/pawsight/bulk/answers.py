"""A finished file of answers: read again, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pawsight.bulk.journal import NotOurs, rows_of
from pawsight.bulk.records import Row, columns, nested
from pawsight.bulk.sinks import Format, require_pyarrow

_NUMBERS: Final = ("confidence", "may_lose")


def read_answers(file: Path, kind: Format) -> Iterator[Row]:
    """The rows of a file that ``pawsight classify --output`` wrote.

    Args:
        file: JSON lines, CSV or Parquet; or a folder of Parquet files, read by their names.
        kind: Which of them.

    Raises:
        NotOurs: Something else wrote it.
        ExtraMissing: Parquet without pyarrow.
        OSError: It cannot be read.
    """
    if kind == "jsonl":
        yield from rows_of(file)
    elif kind == "csv":
        yield from _of_csv(file)
    else:
        for part in sorted(file.glob("*.parquet")) if file.is_dir() else (file,):
            yield from _of_parquet(part)


def _of_csv(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            names = list(rows.fieldnames or ())
        except (UnicodeDecodeError, csv.Error) as error:
            raise NotOurs(f"{str(file)!r} is no CSV") from error
        labels = _labels(file, names)
        for row in rows:
            typed: dict[str, Any] = {name: value or None for name, value in row.items()}
            for name in (*_NUMBERS, *(f"p_{label}" for label in labels)):
                typed[name] = typed[name] and float(typed[name])
            typed["size"] = typed["size"] and int(typed["size"])
            yield nested(typed, labels)


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
