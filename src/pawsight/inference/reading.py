"""Whatever a picture comes as → pixels, ahead of the network that waits for them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawsight.images.decode import (
    DEFAULT_LIMITS,
    Limits,
    Pixels,
    decode_image,
    large_enough,
    upright_rgb,
)
from pawsight.images.errors import ImageError
from pawsight.images.files import read_file, read_stream

Picture: TypeAlias = (
    "str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image "
    "| NDArray[np.uint8]"
)
"""A path, the bytes of a file or an open one, a Pillow image, or RGB pixels uint8 [H, W, 3]."""

Read = TypeVar("Read")
"""A picture as a model takes it."""

BATCH: Final = 16  # larger ones gain nothing on a CPU and need memory


def read_image(
    picture: Picture, at_least: tuple[int, int], limits: Limits = DEFAULT_LIMITS
) -> Image.Image:
    """Decode one picture to upright RGB.

    Args:
        picture: The picture.
        at_least: The (height, width) that it will be resized to, as for
            :func:`~pawsight.images.decode.decode_image`.
        limits: What it may cost.

    Raises:
        ImageError: It cannot be used.
        OSError: Its file cannot be read.
    """
    picture = as_sent(picture, limits)
    if isinstance(picture, bytes):
        return large_enough(decode_image(picture, limits=limits, at_least=at_least))
    if isinstance(picture, Image.Image):
        return large_enough(upright_rgb(picture))
    return large_enough(Image.fromarray(_checked(picture)))


def as_sent(picture: Picture, limits: Limits) -> bytes | Image.Image | NDArray[np.uint8]:
    """A picture that can be read again: of a path, or of an open file from where it stands, bytes.

    Raises:
        ImageError: The file is larger than it may be, or open as text.
        OSError: It cannot be read.
    """
    if isinstance(picture, str | PathLike):
        return read_file(Path(picture), limits)
    if isinstance(picture, bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, bytes | Image.Image | np.ndarray) or not hasattr(picture, "read"):
        return picture  # type: ignore[return-value] # whatever it is, it is looked at next
    if isinstance(picture, io.TextIOBase):
        raise ImageError("a picture is read from a file that is open in binary mode: open(…, 'rb')")
    return read_stream(picture, limits.max_bytes + 1)


def read_ahead(
    read: Callable[[Picture], Read], pictures: Iterable[Picture], threads: int
) -> Iterator[list[Read | ImageError | OSError]]:
    """Read pictures by threads: in order, by batches, or what is wrong with a picture in its place.

    The iterable is read two batches ahead of what was taken, and no further.

    Args:
        read: Makes of a picture what the model takes.
        pictures: Any number.
        threads: That read.
    """

    def attempt(picture: Picture) -> Read | ImageError | OSError:
        try:
            return read(picture)
        except (ImageError, OSError) as error:
            return error

    waiting = iter(pictures)
    with ThreadPoolExecutor(threads) as pool:
        ahead = [pool.submit(attempt, each) for each in islice(waiting, 2 * BATCH)]
        while ahead:
            batch, ahead = ahead[:BATCH], ahead[BATCH:]
            ahead += [pool.submit(attempt, each) for each in islice(waiting, BATCH)]
            yield [future.result() for future in batch]


def _checked(pixels: object) -> Pixels:
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.ndim != 3
        or pixels.shape[2] != 3
        or 0 in pixels.shape
    ):
        got = (
            f"{pixels.dtype} {list(pixels.shape)}"
            if isinstance(pixels, np.ndarray)
            else type(pixels).__name__
        )
        raise ImageError(
            "a picture is a path, bytes, an open file, a Pillow image or an array of RGB pixels "
            f"uint8 [H, W, 3]; got {got}"
        )
    return pixels
