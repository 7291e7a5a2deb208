"""Globs: the paths of this machine that a pattern means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path
from typing import Final

_ANY_DEPTH: Final = "**"


def is_glob(source: str) -> bool:
    """Whether it is a pattern, and not the path of something that is there."""
    return not os.path.lexists(source) and glob.has_magic(source)


def matching(pattern: str) -> Iterator[str]:
    """The paths that a pattern matches, each once, a folder's in the order of their names.

    As in a shell, ``*``, ``?`` and ``[`` pass over hidden names. ``**``, a part of its own, is any
    number of folders, without hidden ones and links to folders: those can go round. Nothing is
    matched in a folder that is matched itself, since all that is in it is found with it. A folder
    that may not be looked into is given as if it were matched, for whom walks through it to say so.

    Args:
        pattern: The glob. One with a slash at its end matches folders alone.
    """
    base, parts = _split(pattern)
    is_folder = not base or os.path.isdir(base)
    waiting: list[tuple[str, bool, frozenset[int]]] = [(base, is_folder, frozenset({0}))]
    while waiting:
        path, is_folder, reached = waiting.pop()
        if not is_folder:
            if len(parts) in reached and not pattern.endswith(os.sep):
                yield path
            continue
        # A place is how many of the parts are behind a path; ** need not match anything.
        places = _with_none_matched(reached, parts)
        if len(parts) in places:
            yield path or os.curdir
            continue
        try:
            entries = sorted(os.scandir(path or os.curdir), key=lambda entry: entry.name)
        except OSError:
            yield path or os.curdir
            continue
        for entry in reversed(entries):
            onward = frozenset(_onward(entry, reached, places, parts))
            if onward:
                waiting.append((os.path.join(path, entry.name), _is_folder(entry), onward))


def _onward(
    entry: os.DirEntry[str], reached: frozenset[int], places: frozenset[int], parts: Sequence[str]
) -> Iterator[int]:
    """The places that an entry of a folder is at, from those that the folder is at."""
    is_link = entry.is_symlink() and _is_folder(entry)
    for place in places:
        if parts[place] == _ANY_DEPTH:
            if not is_link and not entry.name.startswith("."):
                yield place
        elif _fits(entry.name, parts[place]) and (place in reached or not is_link):
            yield place + 1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # of a link to itself, say, which is looked through by nobody
        return False


def finds_in(source: str, folder: Path) -> bool:
    """Whether a source finds pictures that are put into folders of this one, named by labels.

    Args:
        source: A path of this machine or a glob.
        folder: It need not be there yet.
    """
    base, parts = _split(source) if is_glob(source) else (source, ())
    wanted = (*Path(base).resolve().parts, *parts)
    there = folder.resolve().parts
    for number, part in enumerate(there):
        if number == len(wanted) or wanted[number] == _ANY_DEPTH:
            # A folder around it; or all below one, which hidden ones are not part of.
            return not any(each.startswith(".") for each in there[number:])
        if wanted[number] != part and not _fits(part, wanted[number]):
            return False
    label, *names = wanted[len(there) :] or (_ANY_DEPTH,)
    if label == _ANY_DEPTH:
        return True
    return glob.has_magic(label) if len(names) == 1 else label == "*" and not names


def _split(pattern: str) -> tuple[str, tuple[str, ...]]:
    """A folder, empty for the current one, and the parts of a pattern below it."""
    parts = Path(pattern).parts
    fixed = tuple(takewhile(lambda part: not glob.has_magic(part), parts))
    return os.path.join("", *fixed), parts[len(fixed) :]


def _with_none_matched(places: frozenset[int], parts: Sequence[str]) -> frozenset[int]:
    every = set(places)
    for place, part in enumerate(parts):
        if place in every and part == _ANY_DEPTH:
            every.add(place + 1)
    return frozenset(every)


def _fits(name: str, pattern: str) -> bool:
    return fnmatch(name, pattern) and (pattern.startswith(".") or not name.startswith("."))
