"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

FRESH: Final = ".new"
"""What the name of a file ends with while it is written; a kill leaves it."""


@contextmanager
def written_whole(file: Path) -> Iterator[IO[bytes]]:
    """Write what takes a file's place at the end, and is on the disk then.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    fresh = file.with_name(f"{file.name}{FRESH}")
    try:
        with fresh.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
