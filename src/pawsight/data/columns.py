"""From a CSV file or a DataFrame to rows: which columns hold the path and the label."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pandas as pd

from pawsight.data.column_names import LABEL_NAMES, PATH_NAMES, opening, plain
from pawsight.data.problems import TableError, UnclearColumn
from pawsight.images.formats import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table as it stands there.

    Attributes:
        number: Counted from 1, without the header; 0 where a folder takes the table's place.
        path: As written, without blanks around it.
        file: The same, absolute: what can be opened.
        label: As written; normalised once the row has been looked at.
        split: Likewise; ``None`` where the table has no such column.
        group: As written, without blanks around it; ``None`` where the table has no such column.
        kind: Likewise.
    """

    number: int
    path: str
    file: str
    label: str
    split: str | None = None
    group: str | None = None
    kind: str | None = None

    @property
    def place(self) -> str:
        """Where the row stands, for people."""
        return f"row {self.number}, {self.path}" if self.number else self.path


_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "validate", "val", "valid", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def normalise_split(split: str) -> str | None:
    """Name a split by one of its spellings: train, validation or test; ``None`` if it is none."""
    return _SPLITS.get(split.strip().casefold())


def normalise_label(label: str) -> str:
    """Bring the spellings of a label that differ in case or blanks alone to one form."""
    return " ".join(unicodedata.normalize("NFC", label).split()).casefold()


def read_rows(
    source: Path | pd.DataFrame,
    images: Path | None,
    path_column: str | None,
    label_column: str | None,
) -> list[Row]:
    """Read a table's rows.

    Args:
        source: A CSV file (comma, semicolon or tab; UTF-8) or a DataFrame.
        images: The folder that relative paths start from; ``None``: the CSV's own folder, or the
            current one for a DataFrame.
        path_column: The name of the column of paths; ``None``: found by :data:`PATH_NAMES`.
        label_column: The name of the column of labels; ``None``: found by :data:`LABEL_NAMES`.

    Returns:
        The rows in their order, at least one.

    Raises:
        TableError: No CSV, no rows, or it is not clear which columns are meant.
    """
    if isinstance(source, pd.DataFrame):
        names = [str(name) for name in source.columns]
        cells = [[_text(value) for value in row] for row in source.itertuples(index=False)]
        title, base = "the DataFrame", images or Path()
    else:
        names, cells = _read_csv(source)
        title, base = str(source), images or source.parent
    if not cells:
        raise TableError(f"{title} has no rows")
    if len(set(names)) < len(names):
        raise TableError(f"{title} has two columns of the same name ({_listed(names)})")
    path, label = _find_columns(names, cells, path_column, label_column)
    split, group, kind = (_optional(names, each) for each in ("split", "group", "kind"))
    return [
        Row(
            number,
            row[path].strip(),
            os.path.abspath(base / row[path].strip()),
            row[label],
            None if split is None else row[split],
            None if group is None else row[group].strip(),
            None if kind is None else row[kind].strip(),
        )
        for number, row in enumerate(cells, start=1)
    ]


def _text(value: object) -> str:
    """Write a DataFrame's cell as a CSV would; whole numbers that became floats are whole again."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    nothing = value is None or value is pd.NA or value is pd.NaT or value != value  # NaN
    return "" if nothing else str(value)


def _read_csv(source: Path) -> tuple[list[str], list[list[str]]]:
    text = io.StringIO(_read_text(source), newline="")
    try:
        header, delimiter = opening(text)
        if not header:
            raise TableError(f"{source} is empty")
        lines = list(csv.reader(chain([header], text), delimiter=delimiter))
    except csv.Error as error:
        raise TableError(f"{source} is not a CSV file: {error}") from error
    names, *rows = (line for line in lines if line)
    names = [name.strip() for name in names]
    if any(PurePath(name).suffix.lower() in EXTENSIONS for name in names):
        raise TableError(
            f"{source} has no header: its first row is already a picture ({_listed(names)}); "
            "put a line such as 'path,label' before it"
        )
    return names, [
        _fitted(source, number, row, names, delimiter) for number, row in enumerate(rows, 1)
    ]


def _read_text(source: Path) -> str:
    if source.is_dir():
        raise TableError(f"{source} is a folder, not a CSV file")
    try:
        data = source.read_bytes()
    except FileNotFoundError as error:
        raise TableError(f"{source} does not exist") from error
    except OSError as error:
        raise TableError(f"{source} cannot be read: {error.strerror}") from error
    if data.startswith(b"PK\x03\x04"):
        raise TableError(f"{source} is a spreadsheet or an archive; save it as CSV")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{source} is not a CSV file in UTF-8 (byte {error.start} does not fit); "
            "save it as 'CSV UTF-8'"
        ) from error
    if not text.strip():
        raise TableError(f"{source} is empty")
    if "\0" in text:
        raise TableError(f"{source} is not a CSV file: it holds zero bytes")
    return text.lstrip("\r\n")


def _fitted(
    source: Path, number: int, row: list[str], names: list[str], delimiter: str
) -> list[str]:
    """Give a row as many cells as the header has."""
    if any(cell.strip() for cell in row[len(names) :]):
        raise TableError(
            f"{source}: row {number} has {len(row)} columns and the header {len(names)}; "
            f"a path or label with {delimiter!r} in it must stand in quotes"
        )
    return (row + [""] * len(names))[: len(names)]


def _find_columns(
    names: list[str], cells: list[list[str]], path_column: str | None, label_column: str | None
) -> tuple[int, int]:
    path = _find(names, PATH_NAMES, path_column, "path")
    label = _find(names, LABEL_NAMES, label_column, "label")
    if len(names) == 2:
        if path is None and label is None:
            likely = [_looks_like_paths(row[column] for row in cells) for column in range(2)]
            path = likely.index(max(likely)) if any(likely) else None
        if path is None and label is not None:
            path = 1 - label
        if label is None and path is not None:
            label = 1 - path
    if path is None:
        raise _not_found("path", names)
    if label is None:
        raise _not_found("label", names)
    if path == label:
        raise TableError(f"column '{names[path]}' cannot hold both the paths and the labels")
    return path, label


def _find(names: list[str], usual: frozenset[str], wanted: str | None, content: str) -> int | None:
    """Find a column by the name that was given, or else by the usual ones."""
    if wanted is not None:
        same = [i for i, name in enumerate(names) if name == wanted] or [
            i for i, name in enumerate(names) if plain(name) == plain(wanted)
        ]
        if not same:
            raise TableError(f"there is no column '{wanted}'; the columns are {_listed(names)}")
        return same[0]
    found = [i for i, name in enumerate(names) if plain(name) in usual]
    if len(found) > 1:
        raise UnclearColumn(
            f"more than one column could hold the {content}s: "
            f"{_listed([names[i] for i in found])}; give all but the right one another name",
            content,
        )
    return found[0] if found else None


def _not_found(content: str, names: list[str]) -> UnclearColumn:
    return UnclearColumn(
        f"no column for the {content}s: the columns are {_listed(names)}; call it '{content}'",
        content,
    )


def _optional(names: list[str], wanted: str) -> int | None:
    return next((i for i, name in enumerate(names) if plain(name) == wanted), None)


def _looks_like_paths(values: Iterable[str]) -> int:
    return sum(PurePath(value.strip()).suffix.lower() in EXTENSIONS for value in values)


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
