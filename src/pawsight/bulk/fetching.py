"""Files at addresses, fetched while others are decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from pawsight.bulk.items import Item, Member, Unreadable
from pawsight.bulk.stores import RemoteItem
from pawsight.images.decode import DEFAULT_LIMITS, Limits, too_large

AT_ONCE: Final = 32
"""Files that are asked for at the same time: what answers from afar takes its time for each."""


def fetched(items: Iterable[Item], limits: Limits = DEFAULT_LIMITS) -> Iterator[Item]:
    """The same items in the same order, those at addresses with their bytes.

    At most twice :data:`AT_ONCE` of them are held. Files of this machine are left to whom decodes
    them, and wait for those before them.
    """
    pool = ThreadPoolExecutor(AT_ONCE)  # has no threads before it is given something
    held: deque[Item | Future[Item]] = deque()
    try:
        for item in items:
            if isinstance(item, RemoteItem):
                held.append(pool.submit(_fetch, item, limits))
            else:
                held.append(item)
            while held and (len(held) > 2 * AT_ONCE or not isinstance(held[0], Future)):
                yield _here(held.popleft())
        while held:
            yield _here(held.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _here(item: Item | Future[Item]) -> Item:
    return item.result() if isinstance(item, Future) else item


def _fetch(item: RemoteItem, limits: Limits) -> Item:
    try:
        found = item.fingerprint()
        if found.size > limits.max_bytes:
            return Unreadable(item.name, too_large(found.size, limits), found)
        return Member(item.name, replace(item, found=found).read(limits), found)
    except OSError as error:
        return Unreadable(item.name, error)
