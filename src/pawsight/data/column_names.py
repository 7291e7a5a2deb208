"""How tables usually name their columns, and what stands between them."""

from __future__ import annotations

import csv
import re
from typing import Final

PATH_NAMES: Final = frozenset(
    (
        *("path", "image", "img", "picture", "photo", "file", "filename", "filepath"),
        *("file_name", "file_path", "image_name", "image_path", "image_file"),
        *("image_filename", "img_name", "img_path"),
    )
)
"""Names under which a column of paths is found; case, spaces and hyphens do not matter."""

LABEL_NAMES: Final = frozenset(
    ("label", "labels", "class", "class_name", "category", "target", "species")
)
"""Names under which a column of labels is found."""

_SEPARATORS: Final = ",;\t"
_NAMED: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)


def plain(name: str) -> str:
    """A column's name as it stands in these sets."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def named_separator(line: str) -> str | None:
    """What a line such as ``sep=;`` says parts the cells, where a first line is one.

    Spreadsheets write it before the header, which is the next line then.
    """
    found = _NAMED.fullmatch(line)
    return found[1] if found else None


def separator(header: str) -> str:
    """What parts the cells of a CSV: a comma, a semicolon (where commas are decimal) or a tab.

    The first by which the header has a column of paths; else that of which it has most.

    Args:
        header: The first line.

    Raises:
        csv.Error: It is none.
    """
    for each in _SEPARATORS:
        cells = next(csv.reader([header], delimiter=each), [])
        if any(plain(cell) in PATH_NAMES for cell in cells):
            return each
    return max(_SEPARATORS, key=header.count)
