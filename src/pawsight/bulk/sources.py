"""Where pictures come from: files, folders, globs, archives and lists, as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pawsight.bulk.archives import Archive, is_archive
from pawsight.bulk.items import FileItem, Item, Unreadable, as_text
from pawsight.bulk.lists import is_list, listed
from pawsight.bulk.stores import Disks, Store, store_of


def find_items(sources: Sequence[str]) -> Iterator[Item]:
    """Walk through what the user named, in that order, archives and lists too.

    A path, a glob (``*``, ``?``, ``[``, ``**``) or an address, such as ``s3://bucket/album``. A
    file is taken whatever its name; so is a path where nothing lies, so that it gets its record. A
    folder gives the files below it whose names end like a picture's, sorted, without hidden ones. A
    ZIP or tar archive that is named itself, or by a glob, gives the pictures in it; a text, CSV or
    Parquet file those that it lists. In a folder, neither is looked into. What cannot be looked
    through is an item that says why.

    Raises:
        ExtraMissing: An address, without what reaches it.
        ValueError: An address of no known protocol.
    """
    for found in find_unopened(sources):
        if isinstance(found, Archive):
            yield from found.members()
        else:
            yield found


def find_unopened(sources: Sequence[str]) -> Iterator[Item | Archive]:
    """The same, without looking into archives.

    Raises:
        ExtraMissing: As :func:`find_items`.
        ValueError: As :func:`find_items`.
    """
    for source in sources:
        try:
            store = store_of(source)
            for path in store.matching(source):
                yield from _found(store, path)
        except OSError as error:
            yield Unreadable(as_text(source), error)


def _found(store: Store, path: str) -> Iterator[Item | Archive]:
    if store.is_folder(path):
        yield from store.walk(path)
    elif is_archive(path):
        yield Archive(store.item(path), partial(store.open, path))
    elif is_list(path):
        yield from listed(store.name(path), partial(store.open, path))
    else:
        yield store.item(path)


def find_pictures(sources: Sequence[str]) -> Iterator[Path]:
    """The files of this machine that :func:`find_items` finds, without looking into any of them."""
    disks = Disks()
    for source in sources:
        for path in disks.matching(source):
            if disks.is_folder(path):
                found = disks.walk(path)
                yield from (item.path for item in found if isinstance(item, FileItem))
            else:
                yield Path(path)
