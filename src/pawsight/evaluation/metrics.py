"""Figures of merit from logits: numpy in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from pawsight.inference.prediction import softmax

Logits = NDArray[np.float32]
Labels = NDArray[np.intp]


BINS: Final = 15
"""Of confidence, of equal width."""


def bins_of(confidence: NDArray[np.float64]) -> NDArray[np.intp]:
    """In which of the :data:`BINS` each confidence in (0, 1] lies [N]."""
    edges = np.linspace(0.0, 1.0, BINS + 1)[1:-1]
    return np.digitize(confidence, edges, right=True)


def expected_calibration_error(shares: NDArray[np.float64], labels: Labels) -> float:
    """How far confidence is from accuracy, on average over pictures.

    Naeini et al. 2015; bins of equal width, as Guo et al. 2017 use them.

    Args:
        shares: Probabilities [N, C].
        labels: The right classes [N].

    Returns:
        In [0, 1].
    """
    confidence = shares.max(axis=1)
    right = shares.argmax(axis=1) == labels
    place = bins_of(confidence)
    gap = np.bincount(place, confidence, BINS) - np.bincount(place, right, BINS)
    return float(np.abs(gap).sum() / max(len(place), 1))


LABEL_NOISE: Final = 0.003
"""The part of a table's labels that is thought to be wrong, as is usual of photographs that people
have labelled (0.2 to 0.4 % in Dogs vs. Cats)."""


def fit_temperature(logits: Logits, labels: Labels, *, label_noise: float = LABEL_NOISE) -> float:
    """The temperature that makes the labels most likely (Guo et al. 2017).

    A few wrong labels, which a good network contradicts with certainty, would outweigh all the
    others and make it doubt every answer: the labels are taken as wrong now and then (the noise
    model of Patrini et al. 2017, *Making deep neural networks robust to label noise*). And one
    picture's worth of doubt in N + 2 is left (Platt 1999): where all N are right, the likeliest
    temperature would be 0 and every answer certain.

    Args:
        logits: float32 [N, C], of pictures that training did not see.
        labels: The right classes [N].
        label_noise: The part of the labels that is drawn by lot, in [0, 1).

    Returns:
        In [0.05, 20].
    """
    targets = np.full(logits.shape, 1 / (len(labels) + 2) / (logits.shape[1] - 1))
    targets[np.arange(len(labels)), labels] = 1 - 1 / (len(labels) + 2)

    def loss(log_temperature: float) -> float:
        shares = softmax(logits, math.exp(log_temperature))
        shares = (1 - label_noise) * shares + label_noise / logits.shape[1]
        return float(-(targets * np.log(np.maximum(shares, 1e-300))).sum())

    return math.exp(_minimum(loss, math.log(0.05), math.log(20.0)))


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a proportion (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    z = 1.96
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)


def mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """How likely two models that are equally good would differ as much as these (McNemar 1947).

    The exact form: of the pictures that one of them alone gets right, each is as likely to be the
    one's as the other's.

    Args:
        one: Whether one model is right about each picture [N].
        other: The other, about the same pictures.

    Returns:
        The two-sided p-value, in [0, 1].
    """
    only_one, only_other = int((one & ~other).sum()), int((~one & other).sum())
    if only_one + only_other == 0:
        return 1.0
    return float(binomtest(only_one, only_one + only_other).pvalue)


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one minimum has it, by golden-section search."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
