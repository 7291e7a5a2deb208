"""Where pictures come from: files, folders and globs, as a stream of paths."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pawsight.images.formats import EXTENSIONS


def find_pictures(sources: Sequence[str]) -> Iterator[Path]:
    """Walk through what the user named, in that order.

    A file is taken whatever its name; so is a path where nothing lies, so that it gets its record.
    A folder gives the files below it whose names end like a picture's, sorted, without hidden ones;
    links to folders are not followed. A glob (``*``, ``?``, ``[``, ``**``) gives what it matches.
    """
    for source in sources:
        path = Path(source)
        if os.path.isdir(source):
            yield from _walk(path)
        elif not os.path.lexists(source) and glob.has_magic(source):
            for match in sorted(glob.iglob(source, recursive=True)):
                found = Path(match)
                if found.is_dir():
                    yield from _walk(found)
                else:
                    yield found
        else:
            yield path


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in EXTENSIONS:
                yield Path(parent) / name
