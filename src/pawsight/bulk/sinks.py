"""Where records go: a table for people, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, TypeAlias

from pawsight.bulk.records import Record

Format: TypeAlias = Literal["table", "jsonl", "csv", "parquet"]

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_ROWS = 4096  # of Parquet that are held in memory before they are written


class MissingExtra(RuntimeError):
    """A format needs a library that is not installed; the words say which extra brings it."""


class Sink(Protocol):
    """Takes records one by one."""

    def write(self, record: Record) -> None:
        """Take one record."""

    def close(self) -> None:
        """Write what is still held."""


def open_sink(kind: Format, target: TextIO | Path, labels: Sequence[str]) -> Sink:
    """Open a sink.

    Args:
        kind: The format.
        target: A text stream, or for ``parquet`` the path of the file.
        labels: The model's, for the columns of a flat format.

    Raises:
        MissingExtra: Parquet without pyarrow.
        ValueError: Parquet into a stream.
    """
    if kind == "parquet":
        if not isinstance(target, Path):
            raise ValueError("Parquet is written to a file: name it with --output")
        return ParquetSink(target, labels)
    if isinstance(target, Path):
        raise TypeError(f"{kind} is written to a text stream")
    if kind == "csv":
        return CsvSink(target, labels)
    return JsonLinesSink(target) if kind == "jsonl" else TableSink(target)


class JsonLinesSink:
    """One JSON object a line, written as it comes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Write one line."""
        answer = record.prediction
        row: dict[str, Any] = {
            "path": _text(record.path),
            "label": answer and answer.label,
            "confidence": answer and answer.confidence,
            "probabilities": answer and answer.probabilities,
            "model": answer and str(answer.model),
            "decided_by": answer and str(answer.decided_by),
            "error": record.error,
        }
        self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()


class CsvSink:
    """One row a record, the probabilities as columns ``p_<label>``."""

    def __init__(self, stream: TextIO, labels: Sequence[str]) -> None:
        self._stream = stream
        self._writer = csv.DictWriter(stream, _columns(labels), lineterminator="\n")
        self._writer.writeheader()

    def write(self, record: Record) -> None:
        """Write one row."""
        self._writer.writerow(_row(record))

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()


class ParquetSink:
    """The rows of :class:`CsvSink` with types, in one file."""

    def __init__(self, file: Path, labels: Sequence[str]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtra(
                "Parquet needs pyarrow: `pip install pyarrow`, or use --format csv"
            ) from error
        text, number = pyarrow.string(), pyarrow.float64()
        numbers = {"confidence", *(f"p_{label}" for label in labels)}
        self._schema = pyarrow.schema(
            [(name, number if name in numbers else text) for name in _columns(labels)]
        )
        self._table = pyarrow.Table
        self._writer = parquet.ParquetWriter(file, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, record: Record) -> None:
        """Hold one row, and write a row group when there are enough."""
        self._rows.append(_row(record))
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
    """A line a picture for people: label, confidence, path."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Write one line."""
        answer = record.prediction
        label, confidence = (answer.label, f"{answer.confidence:7.1%}") if answer else ("error", "")
        words = f"  ({record.error})" if record.error else ""
        path = _text(record.path).translate(_CONTROLS)
        self._stream.write(f"{label:<10} {confidence:>7}  {path}{words}\n")

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def _columns(labels: Sequence[str]) -> list[str]:
    shares = (f"p_{label}" for label in labels)
    return ["path", "label", "confidence", *shares, "model", "decided_by", "error"]


def _row(record: Record) -> dict[str, Any]:
    answer = record.prediction
    if answer is None:
        return {"path": _text(record.path), "error": record.error}
    return {
        "path": _text(record.path),
        "label": answer.label,
        "confidence": answer.confidence,
        **{f"p_{label}": share for label, share in answer.probabilities.items()},
        "model": str(answer.model),
        "decided_by": str(answer.decided_by),
    }


def _text(path: str) -> str:
    r"""A path as text that any encoding takes: bytes that are no UTF-8 are written ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
