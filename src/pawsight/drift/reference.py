"""Reference: what a network saw in, and said of, pictures of its classes that it had not learned.

It lies in the model's folder, and is small: features are kept as their principal components.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pawsight.drift.statistics import Floats, Moments, moments
from pawsight.inference.artifact import REFERENCE_FILE, ModelFolder
from pawsight.inference.errors import BrokenModel

Numbers = NDArray[np.float32]

MOST: Final = 1000
"""So many pictures are kept at most."""
FEWEST: Final = 150
"""Of fewer pictures nothing could be told."""
COMPONENTS: Final = 31

_NAMES: Final = ("mean", "basis", "seen", "logits")


@dataclass(frozen=True, eq=False)
class Reference:
    """N pictures of which it is known where they come from.

    Attributes:
        mean: Of features of other pictures from there: float32 [D].
        basis: Their principal components: float32 [D, K].
        seen: What is seen in the N pictures, as :meth:`project` tells it: float32 [N, K + 1].
        logits: What is said of them: float32 [N, C].
    """

    mean: Numbers
    basis: Numbers
    seen: Numbers
    logits: Numbers

    @classmethod
    def of(cls, features: Numbers, logits: Numbers, seed: int = 0) -> Reference | None:
        """Make one; None where there are too few pictures.

        A third of the pictures gives the components, and the others are compared with: those that
        components were fitted to lie nearer to them than any other will.

        Args:
            features: float32 [M, D] of M pictures of the classes.
            logits: float32 [M, C] of the same.
            seed: Of the choice.
        """
        if len(features) < FEWEST:
            return None
        order = np.random.default_rng(seed).permutation(len(features))
        third = max(len(order) // 3, len(order) - MOST)
        fitted, kept = features[order[:third]], order[third:]
        mean = fitted.mean(axis=0)
        _, _, axes = np.linalg.svd(fitted - mean, full_matrices=False)
        basis = axes[: min(COMPONENTS, third // 8, features.shape[1] - 1)].T
        empty = np.empty((0, basis.shape[1] + 1), dtype=np.float32)
        reference = cls(mean, basis, empty, logits[kept])
        seen = reference.project(features[kept]).astype(np.float32)
        return cls(mean, basis, seen, logits[kept])

    @cached_property
    def moments(self) -> Moments:
        """Of what is seen."""
        return moments(self.seen.astype(np.float64))

    @cached_property
    def _axes(self) -> Floats:
        return np.ascontiguousarray(self.basis.T, dtype=np.float64)

    def project(self, features: Numbers) -> Floats:
        """What is seen in pictures, [M, K + 1]: components, and how far off them features lie.

        Args:
            features: float32 [M, D].
        """
        centred = (features - self.mean).astype(np.float64)
        along = np.einsum("nd,kd->nk", centred, self._axes)  # no threads, as in `moments`
        off = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 1e-12)
        return np.concatenate([along, np.log(off)[:, None]], axis=1)

    def write(self, file: Path) -> None:
        """Keep it; components and what is seen in half precision.

        Raises:
            OSError: It cannot be written.
        """
        np.savez(
            file,
            mean=self.mean.astype(np.float32),
            basis=self.basis.astype(np.float16),
            seen=self.seen.astype(np.float16),
            logits=self.logits.astype(np.float32),
        )


def read_reference(folder: ModelFolder) -> Reference | None:
    """The reference of a model folder; None where it carries none.

    Raises:
        BrokenModel: What it carries is none.
    """
    if REFERENCE_FILE not in folder.card.files:
        return None
    try:
        with np.load(folder.path / REFERENCE_FILE, allow_pickle=False) as kept:
            read = {name: kept[name].astype(np.float32) for name in _NAMES}
        reference = Reference(**read)
        reference.project(np.zeros((1, len(reference.mean)), dtype=np.float32))
        fits = reference.seen.shape == (len(reference.logits), reference.basis.shape[1] + 1)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile):
        fits = False
    if not fits:
        raise BrokenModel(f"model folder {folder.path.name!r}: {REFERENCE_FILE} is no reference")
    return reference
