"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

FRESH: Final = ".new"
"""What the name of a file ends with while it is written; a kill leaves it."""


@contextmanager
def written_whole(file: Path, fresh: Path | None = None) -> Iterator[BinaryIO]:
    """Write what takes a file's place at the end, and is on the disk then.

    Args:
        file: The file.
        fresh: Where it is written until then, on the same disk; else beside the file, under its
            name with :data:`FRESH`.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    fresh = fresh or file.with_name(f"{file.name}{FRESH}")
    try:
        with fresh.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
