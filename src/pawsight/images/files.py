"""Path → bytes, never more of them than could be decoded."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from pawsight.images.decode import DEFAULT_LIMITS, Limits


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a file, but no more of it than the limits allow to decode.

    Raises:
        OSError: It cannot be read, or is a device or a pipe, on which one could wait for ever.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)
