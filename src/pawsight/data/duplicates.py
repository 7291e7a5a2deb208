"""Pictures that look the same: the same photograph resized, squashed, recompressed or retouched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagehash
import numpy as np
from PIL import Image

from pawsight.data.parallel import Progress, map_files
from pawsight.images.decode import Pixels, decode
from pawsight.images.files import named, read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HASH_SIDE: Final = 16
HASH_BITS: Final = HASH_SIDE * HASH_SIDE
HASH_WORDS: Final = HASH_BITS // 64

MAX_DISTANCE: Final = 48
"""Pictures whose hashes differ in at most this many of the 256 bits are taken for the same.

Measured on 17,500 photographs of Dogs vs. Cats, 2,800 of them in their own shape as well, and 3,667
others (224 million pairs of different files). The same photograph squashed and not: at most 8
apart. Recompressed at quality 10: 16. An edge of 1 % cut off all round: 38. Brighter by 40 %: 46.
Different pictures: a flamingo and a spider, both on white, 66, and no two photographs below 74.
Between 36 and 66 lie four pairs, all of the same thing, touched up. Of the usual 64 bits, different
photographs meet at 10 already, which is as far as a copy with 1 % cut off lies.
"""

_FLAT: Final = 2.0
"""A picture whose grey values deviate by less than this, of 255, shows nothing; photographs: 13."""

_BLOCK: Final = 512

_MOST_KEPT: Final = 100_000
"""Files whose hashes are kept, at half a kilobyte each: the first, as all are asked for in turn."""

_hashes: dict[tuple[str, int, int], bytes] = {}
"""By path, size and time."""


def perceptual_hash(pixels: Pixels) -> NDArray[np.uint64]:
    """Hash what a picture looks like, whatever its size and shape.

    The picture is stretched to a square, and each bit says whether one of the lowest 16 × 16
    frequencies of its grey values is above their median (``imagehash.phash``).

    Args:
        pixels: RGB uint8 [H, W, 3].

    Returns:
        uint64 [4], the first bit highest. All zero, which no other picture has, for one without
        detail: it looks like nothing, so it is like nothing.
    """
    image = Image.fromarray(pixels).convert("L")
    if np.asarray(image).std() < _FLAT:
        return np.zeros(HASH_WORDS, dtype=np.uint64)
    bits = imagehash.phash(image, hash_size=HASH_SIDE).hash
    return np.packbits(bits).view(">u8").astype(np.uint64)


def hash_files(paths: Sequence[str], progress: Progress | None = None) -> NDArray[np.uint64]:
    """Hash pictures from their files, on all cores.

    Args:
        paths: Files that can be decoded.
        progress: Called with how many are done and how many there are.

    Returns:
        uint64 [N, 4].

    Raises:
        ImageError: A file cannot be decoded, which is named.
    """
    hashes = map_files(_hash_named, paths, progress)
    return np.array(hashes, dtype=np.uint64).reshape(-1, HASH_WORDS)


def hash_file(path: str) -> NDArray[np.uint64]:
    """Hash one picture from its file: uint64 [4].

    A training asks for the same ones several times: as long as a file stays as it is, its hash is
    kept.

    Raises:
        ImageError, OSError: It cannot be decoded, or read.
    """
    about = os.stat(path)
    file = path, about.st_size, about.st_mtime_ns
    if (kept := _hashes.get(file)) is not None:
        return np.frombuffer(kept, dtype=np.uint64)
    side = 8 * HASH_SIDE  # twice what imagehash resizes to
    hashed = perceptual_hash(decode(read_file(Path(path)), at_least=(side, side)))
    if len(_hashes) < _MOST_KEPT:
        _hashes[file] = hashed.tobytes()
    return hashed


def _hash_named(path: str) -> NDArray[np.uint64]:
    with named(path):
        return hash_file(path)


def group_near_duplicates(
    hashes: NDArray[np.uint64], max_distance: int = MAX_DISTANCE
) -> NDArray[np.intp]:
    """Put pictures that look the same, directly or by way of others, into one group.

    Args:
        hashes: uint64 [N, 4] of :func:`perceptual_hash`. Pictures without detail (all zero) are in
            a group with no other.
        max_distance: How many bits of two hashes may differ.

    Returns:
        [N]: the number of each picture's group, counted from 0.
    """
    telling = hashes.any(axis=1)
    unique, which = np.unique(hashes[telling], axis=0, return_inverse=True)
    signs = hash_signs(unique)
    least = HASH_BITS - 2 * max_distance
    labels = np.arange(len(unique))
    for start in range(0, len(unique), _BLOCK):
        near = signs[start : start + _BLOCK] @ signs[start:].T >= least
        left, right = np.nonzero(near)
        labels = merge_groups(labels, left + start, right + start)
    groups = np.arange(len(hashes))
    groups[telling] = len(hashes) + labels[which.reshape(-1)]
    return np.unique(groups, return_inverse=True)[1]


def hash_signs(hashes: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Signs in place of bits: the product of two pictures' is how many agree minus how many do not.

    Args:
        hashes: uint64 [N, 4].

    Returns:
        -1 and 1, [N, 256].
    """
    bits = np.unpackbits(np.ascontiguousarray(hashes, dtype=">u8").view(np.uint8), axis=1)
    signs: NDArray[np.float32] = bits.astype(np.float32) * 2 - 1
    return signs


def merge_groups(
    labels: NDArray[np.intp], left: NDArray[np.intp], right: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Merge groups between which there are links.

    Args:
        labels: [N]: for each item the number of an item of its group that is labelled with itself.
        left: [E]: one end of each link, an item's number.
        right: [E]: the other.

    Returns:
        [N]: labels of the same kind.
    """
    while True:
        low = np.minimum(labels[left], labels[right])
        merged = labels.copy()
        np.minimum.at(merged, labels[left], low)
        np.minimum.at(merged, labels[right], low)
        merged = merged[merged]
        if np.array_equal(merged, labels):
            return labels
        labels = merged
