"""Path → bytes, never more of them than could be decoded."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from pawsight.images.decode import DEFAULT_LIMITS, Limits, too_large
from pawsight.images.errors import ImageError


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a file, if it is none that is too large to decode, and no more of it than could be.

    Raises:
        ImageTooLarge: It has more bytes than the limits allow.
        OSError: It cannot be read, or is a device or a pipe, on which one could wait for ever.
    """
    found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if found.st_size > limits.max_bytes and stat.S_ISREG(found.st_mode):
        raise too_large(found.st_size, limits)
    most = limits.max_bytes + 1
    with path.open("rb") as file:
        # Memory for as many bytes as are asked for is taken before the first is read, and 32 MB for
        # every picture cost more than its reading.
        data = file.read(min(found.st_size + 1, most))
        if len(data) > found.st_size:  # it has grown meanwhile
            data += file.read(most - len(data))
        return data


def read_stream(stream: BinaryIO, most: int) -> bytes:
    """Read a stream to its end, or so many bytes of it: a pipe or the web gives what is there.

    Raises:
        OSError: It cannot be read.
    """
    parts = []
    while most > 0 and (part := stream.read(most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


@contextmanager
def named(picture: object) -> Iterator[None]:
    """Have what is wrong with a picture say with which, where one of many ends the work.

    Args:
        picture: Its path; of anything else, nothing more is said.

    Raises:
        ImageError: Of the same kind.
    """
    try:
        yield
    except ImageError as error:
        if not isinstance(picture, str | PathLike):
            raise
        raise type(error)(f"{str(picture)!r}: {error}") from error
