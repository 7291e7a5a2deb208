"""How tables usually name their columns, and what stands between them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

PATH_NAMES: Final = frozenset(
    (
        *("path", "image", "img", "picture", "photo", "file", "filename", "filepath"),
        *("file_name", "file_path", "image_name", "image_path", "image_file"),
        *("image_filename", "img_name", "img_path"),
    )
)
"""Names under which a column of paths is found; case, spaces and hyphens do not matter."""

ADDRESS_NAMES: Final = frozenset(("url", "uri", "image_url", "address"))
"""Names of a column of addresses, which a list takes where it has no column of paths."""

LABEL_NAMES: Final = frozenset(
    ("label", "labels", "class", "class_name", "category", "target", "species")
)
"""Names under which a column of labels is found."""

_SEPARATORS: Final = ",;\t"
_NAMED: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)


def plain(name: str) -> str:
    """A column's name as it stands in these sets."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def opening(lines: Iterator[str]) -> tuple[str, str]:
    """The header of a CSV, empty where there is none, and what parts the cells.

    A comma, a semicolon (where commas are decimal) or a tab: the first by which the header has a
    column of paths; else that of which it has most. Or what a line before it says that spreadsheets
    write, such as ``sep=;``.

    Args:
        lines: The CSV's, which are read until the header.

    Raises:
        csv.Error: The header is none.
    """
    written = (line for line in lines if line.strip())
    header = next(written, "")
    if found := _NAMED.fullmatch(header):
        return next(written, ""), found[1]
    return header, _separator(header)


def _separator(header: str) -> str:
    for each in _SEPARATORS:
        cells = next(csv.reader([header], delimiter=each), [])
        if any(plain(cell) in PATH_NAMES | ADDRESS_NAMES for cell in cells):
            return each
    return max(_SEPARATORS, key=header.count)
