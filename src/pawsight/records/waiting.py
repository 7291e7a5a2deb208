"""Answers that wait to be written: handed from the event loop to a thread, a bounded number."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from pawsight.records.record import Record

MOST: Final = 10_000
"""Answers that may wait; further ones are not recorded."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the pictures that wait with them; over it, answers are recorded without theirs."""


class Waiting:
    """Filled by one thread, emptied by another, without a lock.

    Attributes:
        batch: What was taken and is not written yet; the emptying thread's own.
        dropped: How many there was no room for.
    """

    def __init__(self) -> None:
        self.batch: list[Record] = []
        self.dropped = 0
        self._queue: deque[Record] = deque()
        self._bytes_put = self._bytes_taken = 0  # each counted by one thread alone

    def __len__(self) -> int:
        return len(self._queue) + len(self.batch)

    def put(self, record: Record) -> bool:
        """Add an answer, if there is room."""
        if len(self) >= MOST:
            self.dropped += 1
            return False
        if record.picture is not None:
            size = len(record.picture)
            if self._bytes_put - self._bytes_taken + size > MOST_BYTES:
                record = replace(record, picture=None)
            else:
                self._bytes_put += size
        self._queue.append(record)
        return True

    def fill(self, most: int) -> None:
        """Take the longest waiting into the batch, up to so many."""
        room = min(most - len(self.batch), len(self._queue))
        self.batch += [self._queue.popleft() for _ in range(room)]

    def without_picture(self, number: int) -> None:
        """Let go of the picture of an answer of the batch."""
        record = self.batch[number]
        self._bytes_taken += len(record.picture or b"")
        self.batch[number] = replace(record, picture=None)
