"""Where records go: a table for people, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import TextIOBase
from typing import Any, BinaryIO, Final, Literal, Protocol, TextIO, TypeAlias, cast

from pawsight.bulk.rows import Row, columns, flat, line
from pawsight.extras import require
from pawsight.labels import ERROR, NEITHER
from pawsight.terminal import for_terminal

Format: TypeAlias = Literal["table", "jsonl", "csv", "parquet"]

ENDINGS: Final[dict[str, Format]] = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
"""The formats of files by the ending of their names."""

_ROWS = 4096  # of Parquet that are held in memory before they are written


def require_pyarrow() -> Any:  # noqa: ANN401 - a module without types
    """``pyarrow.parquet``.

    Raises:
        ExtraMissing: It is not installed.
    """
    require("parquet", "Parquet")
    from pyarrow import parquet

    return parquet


class Sink(Protocol):
    """Takes rows (:meth:`pawsight.bulk.rows.Record.row`) one by one."""

    def write(self, row: Row) -> None:
        """Take one row."""

    def close(self) -> None:
        """Write what is still held."""


def open_sink(kind: Format, target: TextIO | BinaryIO, labels: Sequence[str]) -> Sink:
    """Open a sink.

    Args:
        kind: The format.
        target: A text stream, or for ``parquet`` one of bytes.
        labels: The model's, for the columns of a flat format.

    Raises:
        ExtraMissing: Parquet without pyarrow.
        ValueError: Parquet into a text stream.
    """
    if kind == "parquet":
        if isinstance(target, TextIOBase):
            raise ValueError("Parquet is written to a file: name it with --output")
        return ParquetSink(cast("BinaryIO", target), labels)
    text = cast("TextIO", target)
    if kind == "csv":
        return CsvSink(text, labels)
    return JsonLinesSink(text) if kind == "jsonl" else TableSink(text)


class JsonLinesSink:
    """One JSON object a line, written as it comes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: Row) -> None:
        """Write one line."""
        self._stream.write(line(row))

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()


class CsvSink:
    """One row a record, the probabilities as columns ``p_<label>``."""

    def __init__(self, stream: TextIO, labels: Sequence[str]) -> None:
        self._stream = stream
        self._writer = csv.DictWriter(stream, columns(labels), lineterminator="\n")
        # Python before 3.13 does not quote a carriage return alone, which ends the row when read.
        self._quoting = csv.DictWriter(
            stream, columns(labels), lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        self._writer.writeheader()

    def write(self, row: Row) -> None:
        """Write one row."""
        returns = "\r" in row["path"] or "\r" in (row["error"] or "")
        (self._quoting if returns else self._writer).writerow(flat(row))

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()


class ParquetSink:
    """The rows of :class:`CsvSink` with types, in one file."""

    def __init__(self, file: BinaryIO, labels: Sequence[str]) -> None:
        parquet = require_pyarrow()
        import pyarrow

        numbers = ("confidence", "may_lose", *(f"p_{label}" for label in labels))
        types = {"size": pyarrow.int64(), **dict.fromkeys(numbers, pyarrow.float64())}
        self._schema = pyarrow.schema(
            [(name, types.get(name, pyarrow.string())) for name in columns(labels)]
        )
        self._table = pyarrow.Table
        self._writer = parquet.ParquetWriter(file, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Row) -> None:
        """Hold one row, and write a row group when there are enough."""
        self._rows.append(flat(row))
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write the rows that are held, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(self._table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


class TableSink:
    """A line a picture for people: label, confidence, path.

    Beside *neither* there is none: it would be that of the likeliest class.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: Row) -> None:
        """Write one line."""
        label, confidence, words = row["label"], f"{row['confidence'] or 0:7.1%}", ""
        if label == NEITHER:
            confidence = ""
        if row["error"] is not None:
            label, confidence, words = ERROR, "", f"  ({for_terminal(row['error'])})"
        path = for_terminal(row["path"])
        self._stream.write(f"{label:<10} {confidence:>7}  {path}{words}\n")

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()
