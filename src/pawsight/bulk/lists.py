"""Lists of pictures: text with a path a line, or CSV and Parquet with a column of paths."""

from __future__ import annotations

import codecs
import csv
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader, FileIO, RawIOBase, TextIOWrapper, UnsupportedOperation
from itertools import chain
from typing import BinaryIO, Final, cast

from pawsight.bulk.items import Item, Unreadable, as_path, as_text
from pawsight.bulk.sinks import require_pyarrow
from pawsight.bulk.stores import Remote, item_of, name_of
from pawsight.data.column_names import ADDRESS_NAMES, PATH_NAMES, opening, plain
from pawsight.extras import ExtraMissing

STANDARD_INPUT: Final = "-"
"""Names a list that comes on the standard input: text with a path a line."""

_BEGINNING: Final = 64  # bytes, in which no text has a NUL character
_MARKS: Final = (  # at the beginning of a text; the longer first, which begins like a shorter one
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def standard_input() -> BinaryIO:
    """What comes on the standard input, as it comes; it stays open.

    Raises:
        OSError: It is closed.
        ValueError: It is no text.
    """
    if sys.stdin is None:
        raise OSError(errno.EBADF, "the standard input is closed")
    try:
        raw = FileIO(sys.stdin.fileno(), closefd=False)
    except UnsupportedOperation:  # no file, but something in its place
        raw = cast("FileIO", sys.stdin.buffer)
    coming = BufferedReader(raw)
    beginning = coming.peek(_BEGINNING)[:_BEGINNING]
    if b"\0" in beginning and not beginning.startswith(tuple(mark for mark, _ in _MARKS)):
        raise ValueError("it is no text; a path a line is wanted (of `find`, without -print0)")
    return coming


def is_list(path: str) -> bool:
    """Whether a name ends as those of lists do."""
    return path.lower().endswith((".txt", ".csv", ".tsv", ".parquet"))


def listed(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Item]:
    r"""The pictures that a list names, in its order: addresses, or paths of this machine.

    Text and CSV are UTF-8, or what the mark (BOM) at their beginning says, UTF-16 say. Relative
    paths start in the current directory, wherever the list lies; blanks around a path are no part
    of it, unless a file of this machine has them in its name. Of a text, blank lines and those that
    begin with ``#`` are passed over (``./#cat.jpg`` names a file that does). A CSV or Parquet file
    has them in the first column with a usual name, such as ``path``
    (:data:`~pawsight.data.column_names.PATH_NAMES`), or ``url``; between the columns of a CSV
    stands what :func:`~pawsight.data.column_names.opening` finds in its header, or a line such as
    ``sep=;`` before that says. Names that are no UTF-8 may be written as records write them
    (``\xff``). Where the list cannot be read on, a last item says so.

    Args:
        name: Of the list; its ending says of what kind it is.
        opened: Opens it.
    """
    kinds = {".csv": _of_csv, ".tsv": _of_csv, ".parquet": _of_parquet}
    each = kinds.get(os.path.splitext(name)[1].lower(), _of_text)
    made: dict[str, Remote] = {}
    try:
        with opened() as stream:
            for path in map(_without_blanks, each(stream)):
                if path:
                    yield _item(_as_it_is_called(path), made)
    except UnicodeError as error:
        words = f"the list is broken: it begins as {error.args[0]}, and does not go on so"
        yield Unreadable(name, OSError(errno.EIO, words))
    except (OSError, ValueError, csv.Error, ExtraMissing) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        yield Unreadable(name, OSError(errno.EIO, f"the list is broken: {words}"))


def _item(path: str, made: dict[str, Remote]) -> Item:
    if "\0" in path:
        words = "no path: it has a NUL character"
        return Unreadable(name_of(path), OSError(errno.EINVAL, words))
    try:
        return item_of(path, made)
    except OSError as error:
        return Unreadable(name_of(path), error)
    except (ExtraMissing, ValueError) as error:
        return Unreadable(name_of(path), OSError(errno.EIO, str(error)))


def _without_blanks(path: str) -> str:
    """A path without blanks around it, unless they are part of the name of a file that is here."""
    bare = path.strip()
    return path if bare and bare != path and os.path.lexists(path) else bare


def _as_it_is_called(path: str) -> str:
    """A path, or what it stands for where only a record calls a file that is here so."""
    if "\\x" not in path or os.path.lexists(path):
        return path
    called = as_path(path)
    return str(called) if os.path.lexists(called) else path


def _of_text(stream: BinaryIO) -> Iterator[str]:
    for line in _text(stream):
        if not line.lstrip().startswith("#"):
            yield line.rstrip("\r\n")


def _of_csv(stream: BinaryIO) -> Iterator[str]:
    text = _text(stream)
    header, delimiter = opening(text)
    rows = csv.DictReader(chain([header], text), delimiter=delimiter)
    column = _column(rows.fieldnames or ())
    for row in rows:
        yield row[column] or ""


def _of_parquet(stream: BinaryIO) -> Iterator[str]:
    with require_pyarrow().ParquetFile(stream) as table:
        column = _column(table.schema_arrow.names)
        for batch in table.iter_batches(columns=[column]):
            for path in batch.column(0).to_pylist():
                # Bytes are text whose writer left out that it is.
                text = os.fsdecode(path) if isinstance(path, bytes) else path
                if text is None or isinstance(text, str):
                    yield text or ""
                else:
                    kind = table.schema_arrow.field(column).type
                    raise ValueError(f"its column {column!r} holds no text, but {kind}")


def _text(stream: BinaryIO) -> TextIOWrapper:
    """A text of the encoding that its mark says, without the mark.

    Raises:
        ValueError: It has none, and is no UTF-8.
    """
    # What is buffered twice comes later than it could.
    whole = (
        stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream))
    )
    beginning = whole.peek(4)[:4]
    found = (encoding for mark, encoding in _MARKS if beginning.startswith(mark))
    encoding = next(found, "utf-8")
    if encoding == "utf-8" and b"\0" in beginning:
        raise ValueError("it is no UTF-8, but UTF-16 without its mark (BOM), say: save it as UTF-8")
    return TextIOWrapper(whole, encoding=encoding, errors="surrogateescape", newline="")


def _column(names: Iterable[str]) -> str:
    there = list(names)
    for usual in (PATH_NAMES, ADDRESS_NAMES):
        for name in there:
            if plain(name) in usual:
                return name
    words = ", ".join(map(as_text, there)) or "none"
    raise ValueError(f"it has no column of paths, such as 'path'; its columns: {words}")
