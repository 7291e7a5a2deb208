"""How tables usually name their columns."""

from __future__ import annotations

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


def plain(name: str) -> str:
    """A column's name as it stands in these sets."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
