"""What a trained network sees in pictures: its features, by views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pawsight.data.pictures import load_pictures
from pawsight.images.preprocess import normalise
from pawsight.inference.classifier import Classifier

Features = NDArray[np.float32]

_BATCH: Final = 16


def extract(
    model: Classifier,
    paths: Sequence[str],
    *,
    mirrored: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Features:
    """A model's features of pictures, preprocessed as in serving.

    Args:
        model: Whose.
        paths: N files that can be decoded.
        mirrored: Whether each picture is also looked at in the mirror.
        progress: Called with the number of pictures after each batch.

    Returns:
        float32 [N, V, D], V being 2 where ``mirrored``, else 1.

    Raises:
        ImageError, OSError: A picture cannot be used.
    """
    how = model.card.preprocessing
    rows: list[Features] = []
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        pixels = load_pictures(batch, how)
        views = [pixels, pixels[:, :, ::-1]] if mirrored else [pixels]
        seen = [model.run(normalise(view, how)).features for view in views]
        rows.append(np.stack(seen, axis=1))
        if progress:
            progress(len(batch))
    if not rows:
        return np.empty((0, 1, 0), dtype=np.float32)
    return np.concatenate(rows)
