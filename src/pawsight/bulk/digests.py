"""Digests of names: made, looked up, and kept in little memory."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

_RECENT: Final = 1 << 16


def digest(text: str) -> int:
    """64 bits of a text, less than 2^64 - 1: what indexes keep of names."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
    return min(number, 2**64 - 2)


def place_in(digests: NDArray[np.uint64], wanted: int) -> int | None:
    """Where a digest stands among sorted ones, the last of equal ones; None where it does not."""
    place = int(np.searchsorted(digests, np.uint64(wanted), side="right")) - 1
    return place if place >= 0 and int(digests[place]) == wanted else None


class Digests:
    """A set of digests, 8 bytes each but for the latest, which are sorted in among the others."""

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.uint64)
        self._recent: set[int] = set()

    def __contains__(self, wanted: int) -> bool:
        return wanted in self._recent or place_in(self._sorted, wanted) is not None

    def add(self, new: int) -> None:
        """Add a digest; one that is there already takes its 8 bytes again."""
        self._recent.add(new)
        if len(self._recent) == _RECENT:
            latest = np.fromiter(self._recent, np.uint64, _RECENT)
            latest.sort()
            both = np.concatenate((self._sorted, latest))
            self._sorted = np.sort(both, kind="stable")  # which merges what is sorted
            self._recent.clear()
