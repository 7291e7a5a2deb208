"""A linear classifier on features, which also learns what is none of its classes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor
from torch.nn import functional as F

from pawsight.labels import BACKGROUND
from pawsight.models.losses import open_set_cross_entropy
from pawsight.training.features import Features

Numbers = NDArray[np.int64]
Rows = NDArray[np.intp]

log = logging.getLogger(__name__)

STRENGTHS: Final = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Of the regularisation, to choose from."""

FOLDS: Final = 5

_STEPS: Final = 100


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer.

    Attributes:
        weight: float32 [C, D].
        bias: float32 [C].
    """

    weight: Features
    bias: Features

    def logits(self, features: Features) -> Features:
        """Logits float32 [N, C] of features [N, D]."""
        product: Features = features @ self.weight.T + self.bias
        return product


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head, and what heads like it said of pictures that they were fitted without.

    Attributes:
        head: Fitted on all pictures.
        strength: Of its regularisation.
        held_out: Logits float32 [N, C] of every row, by heads that did not see it; of no rows,
            [0, C], where a class has too few to leave some out.
    """

    head: Head
    strength: float
    held_out: Features


def fit_head(features: Features, labels: Numbers, groups: Numbers, *, seed: int = 0) -> FittedHead:
    """Fit a multinomial logistic regression with an imagined class "none of them".

    The loss is that of training networks
    (:func:`~pawsight.models.losses.open_set_cross_entropy`): background pushes all logits
    down, so that ``logsumexp(logits)`` is the log-odds that a picture shows any of the classes.
    Background, however much of it there is, weighs as much as all classes together. The strength of
    the regularisation (half the sum of squares of the weights on standardised features, times the
    strength) is the one with the least cross-entropy on pictures that were left out.

    Args:
        features: float32 [N, D].
        labels: int64 [N], in [0, C), each of them at least once, or
            :data:`~pawsight.labels.BACKGROUND`.
        groups: int64 [N]; rows of one group, such as views of one picture, are left out together.
        seed: Of the folds.
    """
    classes = int(labels.max()) + 1
    folds = _folds(labels, groups, seed)
    if not folds:
        strength = STRENGTHS[len(STRENGTHS) // 2]
        head = _fit(features, labels, classes, strength)
        return FittedHead(head, strength, np.empty((0, classes), dtype=np.float32))
    tried = {each: _held_out(features, labels, classes, folds, each) for each in STRENGTHS}
    losses = {each: _loss(logits, labels) for each, logits in tried.items()}
    strength = min(losses, key=losses.__getitem__)
    log.info("regularisation %g: loss %.3f on pictures left out", strength, losses[strength])
    return FittedHead(_fit(features, labels, classes, strength), strength, tried[strength])


def _folds(labels: Numbers, groups: Numbers, seed: int) -> list[tuple[Rows, Rows]]:
    """Rows to fit on and rows to leave out; none where a class cannot be on both sides."""
    counts = [len(np.unique(groups[labels == each])) for each in np.unique(labels)]
    if min(counts) < 2:
        return []
    folds = StratifiedGroupKFold(min(FOLDS, *counts), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*least populated class.*")
        parts = list(folds.split(labels, labels, groups))
    whole = all(set(labels[fitted]) == set(labels) for fitted, _ in parts)
    return parts if whole else []


def _held_out(
    features: Features,
    labels: Numbers,
    classes: int,
    folds: list[tuple[Rows, Rows]],
    strength: float,
) -> Features:
    logits = np.zeros((len(labels), classes), dtype=np.float32)
    for fitted, left_out in folds:
        head = _fit(features[fitted], labels[fitted], classes, strength)
        logits[left_out] = head.logits(features[left_out])
    return logits


def _loss(logits: Features, labels: Numbers) -> float:
    weights = _weights(torch.from_numpy(labels), logits.shape[1])
    return float(_cross_entropy(torch.from_numpy(logits), weights))


def _fit(features: Features, labels: Numbers, classes: int, strength: float) -> Head:
    mean, scale = standards_of(features)
    inputs = torch.from_numpy((features - mean) * scale)
    weights = _weights(torch.from_numpy(labels), classes)

    def loss(weight: Tensor, bias: Tensor) -> Tensor:
        entropy = _cross_entropy(F.linear(inputs, weight, bias), weights)
        return entropy + strength / 2 * weight.square().sum()

    weight, bias = minimise(loss, classes, inputs.shape[1])
    scaled = weight * scale
    return Head(scaled, (bias - scaled @ mean).astype(np.float32))


def standards_of(features: Features) -> tuple[Features, Features]:
    """Mean and factor, float32 [D] each, that standardise features [N, D]."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    # A feature that never changes says nothing.
    scale = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 0)
    return mean, scale.astype(np.float32)


def minimise(
    loss: Callable[[Tensor, Tensor], Tensor], classes: int, features: int
) -> tuple[Features, Features]:
    """The weight [C, D] and the bias [C] of the least loss, from zeros on, by L-BFGS.

    Args:
        loss: Of a weight and a bias, convex.
        classes: C.
        features: D.
    """
    weight = torch.zeros(classes, features, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        now = loss(weight, bias)
        now.backward()  # type: ignore[no-untyped-call]
        return now

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps of a millisecond: threads would wait for each other
    optimizer.step(closure)  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    return weight.detach().numpy(), bias.detach().numpy()


def _weights(labels: Tensor, classes: int) -> Tensor:
    """How much each row counts for each class and, last, for the background: float32 [N, C + 1]."""
    background = labels == BACKGROUND
    weights = F.one_hot(torch.where(background, classes, labels), classes + 1).float()
    if background.any():
        weights[background] /= 2 * background.float().mean()
        weights[~background] /= 2 * (~background).float().mean()
    return weights


def _cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    with_background = bool(weights[:, -1].any())
    return open_set_cross_entropy(logits, weights, with_background=with_background)
