"""What a trained network sees in pictures: its features, look by look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from pawsight.data.augment import Augmentation, augment
from pawsight.data.pictures import load_pictures
from pawsight.images.decode import Pixels
from pawsight.images.preprocess import normalise
from pawsight.inference.classifier import Classifier

Features = NDArray[np.float32]

View: TypeAlias = Callable[[Pixels], Pixels]
"""Pictures uint8 [N, H, W, 3] as they are to be seen, of the same shape."""

_BATCH: Final = 16


def as_they_are(pixels: Pixels) -> Pixels:
    """The view of serving."""
    return pixels


def mirrored(pixels: Pixels) -> Pixels:
    """Left and right turned around."""
    return pixels[:, :, ::-1]


def augmented(how: Augmentation, seed: int) -> View:
    """A view that crops, turns, mirrors and recolours every picture differently, as training does.

    Args:
        how: The strengths.
        seed: Of all draws; they follow each other from call to call.
    """
    generator = torch.Generator().manual_seed(seed)

    def view(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[1:3]
        changed = augment(torch.from_numpy(pixels), max(height, width), how, generator)
        if height != width:
            changed = F.interpolate(changed, (height, width), mode="bilinear", antialias=True)
        seen: Pixels = (changed * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return seen

    return view


class Look(NamedTuple):
    """How pictures are looked at.

    Attributes:
        model: Whose features are taken.
        view: What it is shown.
    """

    model: Classifier
    view: View = as_they_are


def extract(
    looks: Sequence[Look],
    paths: Sequence[str],
    *,
    progress: Callable[[int], None] | None = None,
) -> Features:
    """Features of pictures, preprocessed as in serving.

    Args:
        looks: V of them, one or more, by models that are preprocessed for alike.
        paths: N files that can be decoded.
        progress: Called with the number of pictures after each batch.

    Returns:
        float32 [N, V, D].

    Raises:
        ImageError, OSError: A picture cannot be used.
    """
    how = looks[0].model.card.preprocessing
    rows: list[Features] = []
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        pixels = load_pictures(batch, how)
        seen = [model.run(normalise(view(pixels), how)).features for model, view in looks]
        rows.append(np.stack(seen, axis=1))
        if progress:
            progress(len(batch))
    if not rows:
        return np.empty((0, len(looks), 0), dtype=np.float32)
    return np.concatenate(rows)
