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
from pawsight.training.discriminants import discriminants
from pawsight.training.features import Features

Numbers = NDArray[np.int64]
Rows = NDArray[np.intp]

log = logging.getLogger(__name__)

STRENGTHS: Final = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Of the regularisation, to choose from."""

SHRINKAGES: Final = (0.1, 0.3)
"""Of the covariance, in discriminant analysis, to choose from."""

FOLDS: Final = 5

_STEPS: Final = 100
_DOUBT: Final = 1e-3


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
        recipe: How it was fitted, for a card.
        held_out: Logits float32 [N, C] of every row, by heads that did not see it; of no rows,
            [0, C], where a class has too few to leave some out.
    """

    head: Head
    recipe: dict[str, str | float]
    held_out: Features


def fit_head(features: Features, labels: Numbers, groups: Numbers, *, seed: int = 0) -> FittedHead:
    """Fit a linear layer that tells classes apart, and all of them from a background.

    In two ways, of which the one is taken that has the least cross-entropy on pictures that were
    left out (:func:`~pawsight.models.losses.open_set_cross_entropy`, as in training networks), of
    each group its first:

    - multinomial logistic regression with an imagined class "none of them": background pushes all
      logits down. The regularisation is half the sum of squares of the weights on standardised
      features, times a strength, which is chosen likewise.
    - where there is background, linear discriminant analysis against it
      (:func:`~pawsight.training.discriminants.discriminants`), whose logits are then scaled and
      shifted so that they fit what was left out. It asks more of the features, and where they keep
      that, it needs fewer pictures.

    Either way ``logsumexp(logits)`` is the log-odds that a picture shows any of the classes.
    Background, however much of it there is, weighs as much as all classes together.

    Args:
        features: float32 [N, D].
        labels: int64 [N], in [0, C), each of them at least once, or
            :data:`~pawsight.labels.BACKGROUND`.
        groups: int64 [N]; rows of one group, such as views of one picture, are left out together.
            The first is to be the picture as the head will be asked about it.
        seed: Of the folds.
    """
    classes = int(labels.max()) + 1
    folds = _folds(labels, groups, seed)
    if not folds:
        usual = _Logistic(STRENGTHS[len(STRENGTHS) // 2])
        head = usual.fit(features, labels)
        return FittedHead(head, usual.recipe, np.empty((0, classes), dtype=np.float32))
    first = np.unique(groups, return_index=True)[1]
    ways: list[_Logistic | _Discriminant] = [_Logistic(each) for each in STRENGTHS]
    if (labels == BACKGROUND).any():
        ways.extend(_Discriminant(each) for each in SHRINKAGES)
    tried = []
    for way in ways:
        held_out = _held_out(way, features, labels, folds)
        by = way.adjustment(held_out[first], labels[first])
        held_out = by.of_logits(held_out)
        tried.append((_loss(held_out[first], labels[first]), way, by, held_out))
    loss, way, by, held_out = min(tried, key=lambda each: each[0])
    log.info("%s: loss %.3f on pictures left out", way, loss)
    return FittedHead(by.of_head(way.fit(features, labels)), way.recipe, held_out)


@dataclass(frozen=True)
class _Adjustment:
    """(logits + shift) × scale."""

    scale: float = 1.0
    shift: float = 0.0

    def of_logits(self, logits: Features) -> Features:
        adjusted: Features = (logits + np.float32(self.shift)) * np.float32(self.scale)
        return adjusted

    def of_head(self, head: Head) -> Head:
        return Head(head.weight * np.float32(self.scale), self.of_logits(head.bias))


@dataclass(frozen=True)
class _Logistic:
    strength: float

    def __str__(self) -> str:
        return f"logistic regression of strength {self.strength:g}"

    @property
    def recipe(self) -> dict[str, str | float]:
        return {"fit": "logistic regression", "strength": self.strength}

    def fit(self, features: Features, labels: Numbers) -> Head:
        mean, scale = standards_of(features)
        inputs = torch.from_numpy((features - mean) * scale)
        classes = int(labels.max()) + 1
        weights = _weights(torch.from_numpy(labels), classes)

        def loss(weight: Tensor, bias: Tensor) -> Tensor:
            entropy = _cross_entropy(F.linear(inputs, weight, bias), weights)
            return entropy + self.strength / 2 * weight.square().sum()

        weight, bias = minimise(loss, classes, inputs.shape[1])
        scaled = weight * scale
        return Head(scaled, (bias - scaled @ mean).astype(np.float32))

    def adjustment(self, held_out: Features, labels: Numbers) -> _Adjustment:
        """None: what it is fitted by is what it is judged by."""
        return _Adjustment()


@dataclass(frozen=True)
class _Discriminant:
    shrinkage: float

    def __str__(self) -> str:
        return f"linear discriminant analysis of shrinkage {self.shrinkage:g}"

    @property
    def recipe(self) -> dict[str, str | float]:
        return {"fit": "linear discriminant analysis", "shrinkage": self.shrinkage}

    def fit(self, features: Features, labels: Numbers) -> Head:
        known = labels != BACKGROUND
        classes, background = features[known], features[~known]
        weight, bias = discriminants(classes, labels[known], background, self.shrinkage)
        return Head(weight.astype(np.float32), bias.astype(np.float32))

    def adjustment(self, held_out: Features, labels: Numbers) -> _Adjustment:
        """The one with the least loss; of many features, densities promise far too much."""
        weights = _weights(torch.from_numpy(labels), held_out.shape[1])
        spread = float(held_out.std()) + 1e-6
        middle = float(np.median(held_out.max(axis=1)))
        logits = torch.from_numpy((held_out - np.float32(middle)) / np.float32(spread))

        def loss(scale: Tensor, shift: Tensor) -> Tensor:
            # Of pictures that are all told apart, nothing else would say how sure to be.
            doubt = _DOUBT * scale.square().sum()
            return _cross_entropy((logits + shift) * scale.exp(), weights) + doubt

        logarithm, shift = minimise(loss, 1, 1)
        scale = float(np.exp(logarithm.item())) / spread
        return _Adjustment(scale, float(shift.item()) * spread - middle)


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
    way: _Logistic | _Discriminant,
    features: Features,
    labels: Numbers,
    folds: list[tuple[Rows, Rows]],
) -> Features:
    logits = np.zeros((len(labels), int(labels.max()) + 1), dtype=np.float32)
    for fitted, left_out in folds:
        logits[left_out] = way.fit(features[fitted], labels[fitted]).logits(features[left_out])
    return logits


def _loss(logits: Features, labels: Numbers) -> float:
    weights = _weights(torch.from_numpy(labels), logits.shape[1])
    return float(_cross_entropy(torch.from_numpy(logits), weights))


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
