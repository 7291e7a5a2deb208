"""Linear discriminant analysis of classes against a background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pawsight.training.features import Features


def discriminants(
    features: Features, labels: NDArray[np.int64], background: Features, shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The log-density of each class relative to that of the background, as a linear function.

    Each class, and the background, is taken for a Gaussian with the covariance that all share
    (Fisher 1936), half of it that of the classes, and shrunk towards its diagonal.

    Args:
        features: float32 [N, D], of pictures of the classes.
        labels: int64 [N], in [0, C), each of them at least once.
        background: float32 [B, D], B at least 1.
        shrinkage: How far, in [0, 1].

    Returns:
        Weight float64 [C, D] and bias float64 [C]: ``asked @ weight.T + bias`` are the log-ratios.
    """
    means = np.stack([features[labels == each].mean(0) for each in range(int(labels.max()) + 1)])
    ground = background.mean(axis=0)
    rest, others = features - means[labels], background - ground
    shared = 0.5 * rest.T @ rest / len(rest) + 0.5 * others.T @ others / len(others)
    own = np.diag(shared).astype(np.float64)
    shared = (1 - shrinkage) * shared + np.diag(shrinkage * own + 1e-6)
    weight = np.linalg.solve(shared, (means - ground).T.astype(np.float64)).T
    return weight, -0.5 * ((means + ground) * weight).sum(axis=1)
