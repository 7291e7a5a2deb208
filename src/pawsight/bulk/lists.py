"""Lists of pictures: text with a path a line, or CSV and Parquet with a column of paths."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from typing import BinaryIO

from pawsight.bulk.items import Item, Unreadable, as_text
from pawsight.bulk.sinks import require_pyarrow
from pawsight.bulk.stores import item_of
from pawsight.data.column_names import PATH_NAMES, plain
from pawsight.extras import ExtraMissing


def is_list(path: str) -> bool:
    """Whether a name ends as those of lists do."""
    return path.lower().endswith((".txt", ".csv", ".parquet"))


def listed(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Item]:
    """The pictures that a list names, in its order: addresses, or paths of this machine.

    Relative paths start where the program does; blanks around a path are no part of it, unless a
    file of this machine has them in its name. Of a text, blank lines and those that begin with
    ``#`` are passed over (``./#cat.jpg`` names a file that does). A CSV or Parquet file has them in
    the first column with a usual name, such as ``path``
    (:data:`~pawsight.data.column_names.PATH_NAMES`). Where the list cannot be read on, a last item
    says so.

    Args:
        name: Of the list; its ending says of what kind it is.
        opened: Opens it.
    """
    kinds = {".csv": _of_csv, ".parquet": _of_parquet}
    each = kinds.get(os.path.splitext(name)[1].lower(), _of_text)
    try:
        with opened() as stream:
            for path in map(_without_blanks, each(stream)):
                if path:
                    yield _item(path)
    except (OSError, ValueError, ExtraMissing) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        yield Unreadable(name, OSError(errno.EIO, f"the list is broken: {words}"))


def _item(path: str) -> Item:
    if "\0" in path:
        words = "no path: it has a NUL character (is the list UTF-8? UTF-16 has many of them)"
        return Unreadable(as_text(path), OSError(errno.EINVAL, words))
    try:
        return item_of(path)
    except (ExtraMissing, ValueError, OSError) as error:
        return Unreadable(as_text(path), OSError(errno.EIO, str(error)))


def _without_blanks(path: str) -> str:
    """A path without blanks around it, unless they are part of the name of a file that is here."""
    bare = path.strip()
    return path if bare and bare != path and os.path.lexists(path) else bare


def _of_text(stream: BinaryIO) -> Iterator[str]:
    for line in _text(stream):
        if not line.lstrip().startswith("#"):
            yield line.rstrip("\r\n")


def _of_csv(stream: BinaryIO) -> Iterator[str]:
    rows = csv.DictReader(_text(stream))
    column = _column(rows.fieldnames or ())
    for row in rows:
        yield row[column] or ""


def _of_parquet(stream: BinaryIO) -> Iterator[str]:
    with require_pyarrow().ParquetFile(stream) as table:
        column = _column(table.schema_arrow.names)
        for batch in table.iter_batches(columns=[column]):
            for path in batch.column(0).to_pylist():
                yield path or ""


def _text(stream: BinaryIO) -> TextIOWrapper:
    return TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _column(names: Iterable[str]) -> str:
    there = list(names)
    for name in there:
        if plain(name) in PATH_NAMES:
            return name
    raise ValueError(
        f"it has no column of paths, such as 'path'; its columns: {', '.join(there) or 'none'}"
    )
