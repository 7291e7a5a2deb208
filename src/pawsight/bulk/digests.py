"""A set of digests that is small in memory."""

from __future__ import annotations

from typing import Final

import numpy as np

_RECENT: Final = 1 << 16


class Digests:
    """Numbers of 64 bits, 8 bytes each but for the latest, which are sorted in among the others."""

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.uint64)
        self._recent: set[int] = set()

    def add(self, number: int) -> bool:
        """Add a number from 0 to 2^64 - 1; returns whether it is new."""
        wanted = np.uint64(number)
        place = int(np.searchsorted(self._sorted, wanted))
        if place < len(self._sorted) and self._sorted[place] == wanted:
            return False
        if number in self._recent:
            return False
        self._recent.add(number)
        if len(self._recent) == _RECENT:
            latest = np.fromiter(self._recent, np.uint64, _RECENT)
            latest.sort()
            both = np.concatenate((self._sorted, latest))
            self._sorted = np.sort(both, kind="stable")  # which merges what is sorted
            self._recent.clear()
        return True
