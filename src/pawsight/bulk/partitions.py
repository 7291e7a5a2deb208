"""A stream of pictures cut into partitions: what one worker answers and one file holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from pawsight.bulk.archives import Archive
from pawsight.bulk.digests import digest
from pawsight.bulk.items import Item
from pawsight.images.decode import DEFAULT_LIMITS, Limits

SIZE: Final = 2048
"""Pictures in a partition, about: some seconds of a processor's work."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Some pictures, or an archive of them.

    Attributes:
        content: The pictures, or the one archive.
        names: Digest of their names, 16 hexadecimal digits.
        state: Digest of what their files are now and of how they are answered, 16 digits.
    """

    content: tuple[Item, ...] | Archive
    names: str
    state: str

    def items(self, limits: Limits = DEFAULT_LIMITS) -> Iterator[Item]:
        """The pictures, of which those in an archive are held to limits."""
        if isinstance(self.content, Archive):
            return self.content.members(limits)
        return iter(self.content)

    def of_files(self) -> list[str]:
        """The names of the pictures, or of the archive."""
        if isinstance(self.content, Archive):
            return [self.content.item.name]
        return [item.name for item in self.content]


def partitioned(
    found: Iterable[Item | Archive], setting: str, size: int = SIZE
) -> Iterator[Partition]:
    """Cut a stream; every archive is a partition of its own.

    The names decide where it is cut (as rsync and backup programs cut files by their content): a
    picture that is added or taken away changes its own partition, and not all of those behind it.

    Args:
        found: Pictures and archives.
        setting: What answers them, and how: another setting gives other states.
        size: Pictures in a partition, on average; four times as many at most.
    """
    waiting: list[Item] = []
    for each in found:
        if isinstance(each, Archive):
            yield _partition(each, [each.item], setting)
            continue
        waiting.append(each)
        if digest(each.name) % size == 0 or len(waiting) == 4 * size:
            yield _partition(tuple(waiting), waiting, setting)
            waiting = []
    if waiting:
        yield _partition(tuple(waiting), waiting, setting)


def weight(partition: Partition) -> float:
    """How much work it is, in pictures; an archive, which nobody has looked into, is the most."""
    if isinstance(partition.content, Archive):
        return math.inf
    return len(partition.content)


def _partition(content: tuple[Item, ...] | Archive, files: list[Item], setting: str) -> Partition:
    names, state = blake2b(digest_size=8), blake2b(setting.encode(), digest_size=8)
    for each in files:
        names.update(f"{each.name}\0".encode())
        state.update(f"{_now(each)}\0".encode())
    return Partition(content, names.hexdigest(), state.hexdigest())


def _now(item: Item) -> str:
    try:
        return str(item.fingerprint())
    except OSError:
        return "cannot be asked"
