"""Lists of pictures: text with a path a line, or CSV and Parquet with a column of paths."""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterable, Iterator
from pathlib import Path

from pawsight.bulk.items import FileItem, Item, Unreadable, as_text
from pawsight.bulk.sinks import MissingExtra, require_pyarrow
from pawsight.data.column_names import PATH_NAMES, plain


def is_list(path: str) -> bool:
    """Whether a name ends as those of lists do."""
    return path.lower().endswith((".txt", ".csv", ".parquet"))


def listed(file: Path) -> Iterator[Item]:
    """The pictures that a list names, in its order; relative paths start where the program does.

    A CSV or Parquet file has them in the first column with a usual name, such as ``path``
    (:data:`~pawsight.data.column_names.PATH_NAMES`). Where the list cannot be read on, a last item
    says so.
    """
    kinds = {".csv": _of_csv, ".parquet": _of_parquet}
    try:
        for path in kinds.get(file.suffix.lower(), _of_text)(file):
            if path:
                yield FileItem(Path(path))
    except (OSError, ValueError, MissingExtra) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        yield Unreadable(as_text(str(file)), OSError(errno.EIO, f"the list is broken: {words}"))


def _of_text(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        for line in lines:
            yield line.rstrip("\r\n")


def _of_csv(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = csv.DictReader(stream)
        column = _column(rows.fieldnames or ())
        for row in rows:
            yield row[column] or ""


def _of_parquet(file: Path) -> Iterator[str]:
    with require_pyarrow().ParquetFile(file) as table:
        column = _column(table.schema_arrow.names)
        for batch in table.iter_batches(columns=[column]):
            for path in batch.column(0).to_pylist():
                yield path or ""


def _column(names: Iterable[str]) -> str:
    there = list(names)
    for name in there:
        if plain(name) in PATH_NAMES:
            return name
    raise ValueError(
        f"it has no column of paths, such as 'path'; its columns: {', '.join(there) or 'none'}"
    )
