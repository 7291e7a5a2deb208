"""Where pictures come from: files, folders, globs, archives and lists, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pawsight.bulk.archives import Archive, is_archive
from pawsight.bulk.items import FileItem, Item, Unreadable
from pawsight.bulk.lists import STANDARD_INPUT, is_list, listed, standard_input
from pawsight.bulk.stores import Disks, Store, name_of, store_of
from pawsight.images.decode import DEFAULT_LIMITS, Limits

_Found = TypeVar("_Found")


def nobody(source: str) -> None:
    """Tell nobody of a source."""


def find_items(
    sources: Sequence[str],
    empty: Callable[[str], None] = nobody,
    looked: Callable[[str], None] = nobody,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Item]:
    """Walk through what the user named, in that order, archives and lists too.

    A path, a glob (``*``, ``?``, ``[``, ``**``) or an address, such as ``s3://bucket/album``. A
    file is taken whatever its name; so is a path where nothing lies, so that it gets its record. A
    folder gives the files below it whose names end like a picture's, sorted, without hidden ones. A
    ZIP or tar archive that is named itself, or by a glob, gives the pictures in it; a text, CSV or
    Parquet file those that it lists. In a folder, neither is looked into. What cannot be looked
    through is an item that says why. ``-`` is a list that comes on the standard input.

    Args:
        sources: What the user named.
        empty: Told of each source that there is nothing in: a glob that matches nothing, a folder,
            an archive or a list without pictures.
        looked: Told of each source, archive and list, by the name that its record would have, when
            it was looked through, or an item has said why it could not be.
        limits: What a picture in an archive may cost.

    Raises:
        ExtraMissing: An address, without what reaches it.
        ValueError: An address of no known protocol.
    """
    for source in sources:
        unopened = _unopened(source, looked)
        items = (item for found in unopened for item in _opened(found, looked, limits))
        yield from _or_told(items, source, empty)


def find_unopened(
    sources: Sequence[str],
    empty: Callable[[str], None] = nobody,
    looked: Callable[[str], None] = nobody,
) -> Iterator[Item | Archive]:
    """The same, without looking into archives.

    Args:
        sources: As :func:`find_items`.
        empty: As :func:`find_items`; an archive is something.
        looked: As :func:`find_items`; of an archive, nobody is told.

    Raises:
        ExtraMissing: As :func:`find_items`.
        ValueError: As :func:`find_items`.
    """
    for source in sources:
        yield from _or_told(_unopened(source, looked), source, empty)


def _or_told(
    found: Iterator[_Found], source: str, empty: Callable[[str], None]
) -> Iterator[_Found]:
    met = False
    for each in found:
        met = True
        yield each
    if not met:
        empty(source)


def _opened(found: Item | Archive, looked: Callable[[str], None], limits: Limits) -> Iterator[Item]:
    if isinstance(found, Archive):
        yield from found.members(limits)
        looked(found.item.name)
    else:
        yield found


def _unopened(source: str, looked: Callable[[str], None]) -> Iterator[Item | Archive]:
    if source == STANDARD_INPUT:
        yield from listed(source, standard_input)
        looked(source)
        return
    try:
        store = store_of(source)
        for path in store.matching(source):
            yield from _found(store, path, looked)
    except OSError as error:
        yield Unreadable(name_of(source), error)
    looked(name_of(source))


def _found(store: Store, path: str, looked: Callable[[str], None]) -> Iterator[Item | Archive]:
    if store.is_folder(path):
        yield from store.walk(path)
    elif is_archive(path):
        yield Archive(store.item(path), partial(store.open, path))
    elif is_list(path):
        yield from listed(store.name(path), partial(store.open, path))
        looked(store.name(path))
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
