"""Features and logits as of pictures of two classes, from one place or from others."""

from __future__ import annotations

import numpy as np

DIMENSIONS = 40


def cloud(
    count: int,
    seed: int = 0,
    *,
    along: float = 0.0,
    spread: float = 1.0,
    sure: float = 1.0,
    dogs: float = 0.5,
    nothing: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [N, 40] and logits [N, 2].

    Args:
        count: N.
        seed: Of the draw.
        along: How far they are moved.
        spread: How far they lie apart.
        sure: Multiplies the logits.
        dogs: The part of the second class.
        nothing: The part of none of the classes.
    """
    random = np.random.default_rng(seed)
    labels = random.random(count) < dogs
    shared = np.random.default_rng(99).normal(0, 1, (2, DIMENSIONS))
    features = random.normal(0, spread, (count, DIMENSIONS)) + shared[labels.astype(int)] + along
    strength = sure * random.gamma(4, 1, count)
    logits = np.where(labels[:, None], [-1.0, 1.0], [1.0, -1.0]) * strength[:, None]
    logits[random.random(count) < nothing] = -9.0
    return features.astype(np.float32), logits.astype(np.float32)
