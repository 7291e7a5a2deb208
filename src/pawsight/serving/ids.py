"""Names of requests and of answers, which nobody can guess."""

from __future__ import annotations

import os
from collections import deque
from typing import Final
from uuid import UUID

_AT_ONCE: Final = 256
"""Random bytes are asked for by so many: each time, Python's lock is let go of, which threads that
decode then keep from the event loop for longer than the asking takes."""

_NEW: Final[deque[str]] = deque()


def new_id() -> str:
    """A random UUID (version 4) in 32 hexadecimal digits."""
    while True:
        try:
            return _NEW.pop()
        except IndexError:
            random = os.urandom(16 * _AT_ONCE)
            places = range(0, len(random), 16)
            _NEW.extend(UUID(bytes=random[each : each + 16], version=4).hex for each in places)
