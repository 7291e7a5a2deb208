"""Was it in training? Pictures found again by what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pawsight.data.duplicates import HASH_BITS, HASH_WORDS, MAX_DISTANCE, hash_signs
from pawsight.inference.artifact import SEEN_FILE, ModelFolder

Hashes = NDArray[np.uint64]

_BLOCK: Final = 1024


def read_seen(networks: Sequence[ModelFolder]) -> Hashes | None:
    """The perceptual hashes of what a model was trained on.

    Args:
        networks: The one that decides, or a cascade's members.

    Returns:
        uint64 [N, 4], or None for a model that does not say it of every network.
    """
    if any(SEEN_FILE not in each.card.files for each in networks):
        return None
    seen = [np.fromfile(each.path / SEEN_FILE, dtype="<u8") for each in networks]
    return np.concatenate(seen).reshape(-1, HASH_WORDS)


def parents(networks: Sequence[ModelFolder]) -> list[str]:
    """The models on whose networks some are a new head, by their names and versions.

    What such a model was trained on is part of :func:`read_seen`.
    """
    return [
        each.card.provenance.started_from.partition(" (")[0]
        for each in networks
        if "head" in each.card.provenance.recipe
    ]


def distances(hashes: Hashes, seen: Hashes) -> NDArray[np.intp]:
    """How many bits each picture's hash differs from the most similar one of training.

    Args:
        hashes: uint64 [N, 4] of :func:`~pawsight.data.duplicates.perceptual_hash`.
        seen: uint64 [M, 4] of :func:`read_seen`.

    Returns:
        [N], in [0, 256]; 256 for pictures without detail, which look like nothing.
    """
    telling = seen[seen.any(axis=1)]
    result = np.full(len(hashes), HASH_BITS, dtype=np.intp)
    if len(telling):
        trained = hash_signs(telling).T
        for start in range(0, len(hashes), _BLOCK):
            agreeing = (hash_signs(hashes[start : start + _BLOCK]) @ trained).max(axis=1)
            result[start : start + _BLOCK] = (HASH_BITS - agreeing) / 2
    result[~hashes.any(axis=1)] = HASH_BITS
    return result


def was_seen(hashes: Hashes, seen: Hashes) -> NDArray[np.bool_]:
    """Whether each picture, or one that looks the same, was trained on [N]."""
    near: NDArray[np.bool_] = distances(hashes, seen) <= MAX_DISTANCE
    return near
