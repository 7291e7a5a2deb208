"""Where pictures come from: files, folders, globs, archives and lists, as a stream."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pawsight.bulk.archives import is_archive, members
from pawsight.bulk.items import FileItem, Item
from pawsight.bulk.lists import is_list, listed
from pawsight.images.formats import EXTENSIONS


def find_items(sources: Sequence[str]) -> Iterator[Item]:
    """Walk through what the user named, in that order, archives and lists too.

    A ZIP or tar archive that is named itself, or by a glob, gives the pictures in it; a text, CSV
    or Parquet file those that it lists. In a folder, neither is looked into.
    """
    for source in sources:
        for path in _matching(source):
            if os.path.isdir(path):
                yield from map(FileItem, _walk(Path(path)))
            elif os.path.isfile(path) and is_archive(path):
                yield from members(Path(path))
            elif os.path.isfile(path) and is_list(path):
                yield from listed(Path(path))
            else:
                yield FileItem(Path(path))


def find_pictures(sources: Sequence[str]) -> Iterator[Path]:
    """Walk through the files that the user named, in that order.

    A file is taken whatever its name; so is a path where nothing lies, so that it gets its record.
    A folder gives the files below it whose names end like a picture's, sorted, without hidden ones;
    links to folders are not followed. A glob (``*``, ``?``, ``[``, ``**``) gives what it matches.
    """
    for source in sources:
        for path in _matching(source):
            if os.path.isdir(path):
                yield from _walk(Path(path))
            else:
                yield Path(path)


def _matching(source: str) -> Iterator[str]:
    if not os.path.lexists(source) and glob.has_magic(source):
        yield from sorted(glob.iglob(source, recursive=True))
    else:
        yield source


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in EXTENSIONS:
                yield Path(parent) / name
