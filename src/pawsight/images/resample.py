"""Pillow's resizing, to the bit, by the processor's wide instructions where they were compiled.

Where they were not (``hatch_build.py`` needs a C compiler), and for what they do not do, Pillow
resizes. ``benchmarks/resizing.py`` says what is gained.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, lru_cache
from math import ceil
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawsight.compiled import ADDRESS, NUMBER, function_of

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of a picture, not rounded."""

_LIBRARY: Final = Path(__file__).with_name("libresample.so")
_BITS: Final = 22  # of a weight's fraction, as Pillow's weights for 8 bits have
_SUPPORT: Final = {Image.Resampling.BILINEAR: 1.0, Image.Resampling.BICUBIC: 2.0}
_NARROW: Final = 8  # pixels, of which the library takes no fewer at a time


def resample(
    image: Image.Image, size: tuple[int, int], filter_: Image.Resampling, box: Box
) -> NDArray[np.uint8]:
    """Resize a part of a picture.

    Args:
        image: Of mode ``RGB``.
        size: The (width, height) of what comes of it.
        filter_: Antialiased.
        box: The part, within the picture.

    Returns:
        uint8 [height, width, 3], what ``image.resize(size, filter_, box)`` is.
    """
    wide_enough = min(image.width, size[0]) >= _NARROW
    changes = image.size != size or box != (0, 0, *size)
    if changes and wide_enough and filter_ in _SUPPORT and (native := _proved()):
        resized = native(image, size, filter_, box)
        if resized is not None:
            return resized
    return np.array(image.resize(size, filter_, box))


def is_compiled() -> bool:
    """Whether there is a library, and it does what this Pillow does."""
    return _proved() is not None


_Resize: TypeAlias = Callable[
    [Image.Image, tuple[int, int], Image.Resampling, Box], "NDArray[np.uint8] | None"
]
"""By the library, or nothing where the picture's memory is in several parts."""


@cache
def _proved() -> _Resize | None:
    """What the library does, where there is one, and it does what this Pillow does."""
    native = _loaded()
    if native is None:
        return None
    noise = np.random.default_rng(0).integers(0, 256, (61, 61, 3), np.uint8)
    image, box = Image.fromarray(noise), (0.5, 3.0, 60.2, 44.9)
    for filter_ in _SUPPORT:
        for size in ((19, 31), (57, 11)):  # of which Pillow resizes one across first, one down
            resized = native(image, size, filter_, box)
            if resized is None or (resized != np.asarray(image.resize(size, filter_, box))).any():
                return None
    return native


def _loaded() -> _Resize | None:
    side = (NUMBER, NUMBER)
    function = function_of(
        _LIBRARY, "pawsight_resize", ADDRESS, *side, ADDRESS, *side, ADDRESS, *side, ADDRESS
    )
    if function is None:
        return None

    def resize(
        image: Image.Image, size: tuple[int, int], filter_: Image.Resampling, box: Box
    ) -> NDArray[np.uint8] | None:
        try:
            _, memory = image.__arrow_c_array__()
        except ValueError:
            return None
        width, height = size
        across = _axis(image.width, box[0], box[2], width, filter_)
        down = _axis(image.height, box[1], box[3], height, filter_)
        out = np.empty((height, width, 3), np.uint8)
        function(
            _pixels_in(memory),
            image.width,
            _down_first(image.size, size),
            across.ctypes.data,
            across.shape[1],
            width,
            down.ctypes.data,
            down.shape[1],
            height,
            out.ctypes.data,
        )
        return out

    return resize


def _down_first(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether Pillow resizes down before it resizes across."""
    fewer = size[1] - wanted[1]
    return fewer > max(0, 2 * (size[0] - wanted[0]))


@lru_cache(128)
def _axis(
    length: int, low: float, high: float, places: int, filter_: Image.Resampling
) -> NDArray[np.int32]:
    """What each place of one axis takes: as Pillow computes it, in the order of its operations.

    Args:
        length: Of the axis, in pixels.
        low: Where the part that is resized begins.
        high: Where it ends.
        places: That come of it.
        filter_: The filter.

    Returns:
        int32 [places, 2 + N]: the first pixel, how many are taken, and their weights × 2 ** 22.
    """
    first_edge, last_edge = np.float32(low), np.float32(high)  # as Pillow passes them on
    scale = float(last_edge - first_edge) / places
    stretched = max(scale, 1.0)
    support = _SUPPORT[filter_] * stretched
    centre = float(first_edge) + (np.arange(places) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.int32), 0)
    count = np.minimum((centre + support + 0.5).astype(np.int32), length) - first
    taken = np.arange(2 * ceil(support) + 1)
    distance = (taken + first[:, None] - centre[:, None] + 0.5) * (1.0 / stretched)
    weights = np.where(taken < count[:, None], _weight(np.abs(distance), filter_), 0.0)
    total = np.cumsum(weights, axis=1)[:, -1:]  # one after another, not in pairs
    weights = np.divide(weights, total, out=weights, where=total != 0.0)
    fixed = (weights * (1 << _BITS) + np.where(weights < 0, -0.5, 0.5)).astype(np.int32)
    return np.concatenate([first[:, None], count[:, None], fixed], axis=1, dtype=np.int32)


def _weight(distance: NDArray[np.float64], filter_: Image.Resampling) -> NDArray[np.float64]:
    if filter_ is Image.Resampling.BILINEAR:
        return np.where(distance < 1.0, 1.0 - distance, 0.0)
    a, x = -0.5, distance
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


class _Array(ctypes.Structure):
    """The Arrow C data interface's array, as far as it is read here."""


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
]

_pointer_in = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_in.argtypes = [ctypes.py_object, ctypes.c_char_p]
_pointer_in.restype = ctypes.c_void_p


def _pixels_in(memory: object) -> int | None:
    """The address of a picture's pixels of four bytes each, valid as long as the capsule."""
    array = _Array.from_address(_pointer_in(memory, b"arrow_array"))
    address: int | None = array.children[0].contents.buffers[1]
    return address
