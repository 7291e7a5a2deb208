"""Labels without a table: a folder for each class, or names that begin with it."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pawsight.data.cleaning import is_stray
from pawsight.data.columns import Row, normalise_split
from pawsight.data.problems import Problem, TableError
from pawsight.images.formats import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+)*")


def folder_rows(images: Path) -> tuple[list[Row], list[Problem]]:
    """Take the labels of pictures from where they lie.

    ``cat/x.jpg`` is a cat. Where all pictures lie flat in one folder, their names begin with the
    label: ``cat.12.jpg``, ``cat_0001.jpg``. Where all of them lie under ``train``, ``validation``
    and ``test``, these are their splits, and below them it is as above.

    Args:
        images: The folder.

    Returns:
        One row a picture, sorted by path, and a problem for each file that is none by its name.

    Raises:
        TableError: No folder, or one without pictures.
    """
    if not images.is_dir():
        raise TableError(f"{images} is not a folder")
    pictures: list[PurePath] = []
    problems: list[Problem] = []
    for path in sorted(_walk(images)):
        if is_stray(path.name):
            problems.append(_stray(path, f"'{path.name}' is a hidden or system file or folder"))
        elif path.suffix.lower() not in EXTENSIONS:
            problems.append(_stray(path, f"'{path.name}' has no picture's file name ending"))
        else:
            pictures.append(path)
    if not pictures:
        raise TableError(f"there are no pictures in {images}")
    splits = {path: normalise_split(path.parts[0]) for path in pictures if len(path.parts) > 1}
    has_splits = len(splits) == len(pictures) and None not in splits.values()
    below = {path: PurePath(*path.parts[1:]) if has_splits else path for path in pictures}
    flat = all(len(path.parts) == 1 for path in below.values())
    rows = [
        Row(
            number=0,
            path=str(path),
            file=os.path.abspath(images / path),
            label=_leading_words(path) if flat else below[path].parent.name,
            split=splits[path] if has_splits else None,
        )
        for path in pictures
    ]
    return rows, problems


def _walk(images: Path) -> Iterator[PurePath]:
    """Yield files, and hidden folders without what is in them, relative to the top.

    Links to folders are followed, each folder once.
    """
    seen = set()
    for root, folders, files in os.walk(images, onerror=_refuse, followlinks=True):
        seen.add(os.path.realpath(root))
        here = PurePath(root).relative_to(images)
        hidden = [name for name in folders if is_stray(name)]
        yield from (here / name for name in files + hidden)
        folders[:] = [
            name
            for name in sorted(folders)
            if not is_stray(name) and os.path.realpath(os.path.join(root, name)) not in seen
        ]


def _refuse(error: OSError) -> None:
    raise TableError(f"{error.filename} cannot be read: {error.strerror}") from error


def _leading_words(path: PurePath) -> str:
    found = _WORDS.match(path.stem)
    return found.group() if found else ""


def _stray(path: PurePath, reason: str) -> Problem:
    advice = "nothing needs to be done, unless it is a picture: then give it its ending"
    return Problem(0, str(path), "stray-file", reason, advice)
