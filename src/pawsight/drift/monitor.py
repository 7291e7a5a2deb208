"""Monitor: the pictures that a network was asked about, window after window."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

import numpy as np

from pawsight.drift.comparison import Decision, WindowComparison, compare
from pawsight.drift.reference import Numbers, Reference

log = logging.getLogger(__name__)

LEVEL: Final = 0.001
"""The part of windows that may be called different where nothing has changed."""
WINDOW: Final = 200
"""Pictures of a window."""


@dataclass(frozen=True)
class Found:
    """What was found last.

    Attributes:
        comparison: The last window's.
        time: When it was full, in UTC.
        windows: How many there were.
    """

    comparison: WindowComparison
    time: datetime
    windows: int


class Monitor:
    """Fills windows, and compares each once it is full: one look at each picture, and no more.

    Looking again and again at pictures as they come would call chance a drift sooner or later.
    Windows do not overlap, so the level is what is promised of each. May be told by any thread.

    Args:
        reference: Of the network.
        decision: Likewise.
        tell: Is called with each comparison.
        size: Pictures of a window.
        level: In (0, 1).

    Attributes:
        found: About the last full window; None before the first is.
    """

    def __init__(
        self,
        reference: Reference,
        decision: Decision,
        tell: Callable[[WindowComparison], object],
        *,
        size: int = WINDOW,
        level: float = LEVEL,
    ) -> None:
        self._reference = reference
        self._decision = decision
        self._tell = tell
        self._level = level
        self._size = size
        self._changing = threading.Lock()
        self._windows = 0
        self._rows: list[tuple[Numbers, Numbers]] = []
        self.found: Found | None = None

    @property
    def waiting(self) -> int:
        """How many pictures are in the window that is not full yet."""
        return len(self._rows)

    def add(self, features: Numbers, logits: Numbers) -> None:
        """Take a picture.

        Args:
            features: float32 [D].
            logits: float32 [C].
        """
        with self._changing:
            self._rows.append((features, logits))
            if len(self._rows) < self._size:
                return
            full, self._rows = self._rows, []
            self._windows += 1
            number, time = self._windows, datetime.now(timezone.utc)
        seen, said = zip(*full, strict=True)
        self._conclude(np.stack(seen), np.stack(said), number, time)

    def _conclude(self, features: Numbers, logits: Numbers, number: int, time: datetime) -> None:
        found = compare(self._reference, self._decision, features, logits, self._level)
        with self._changing:  # another thread may be done with a later window first
            if self.found is None or self.found.windows < number:
                self.found = Found(found, time, number)
        self._tell(found)
