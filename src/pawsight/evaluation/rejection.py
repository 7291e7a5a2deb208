"""Thresholds for ``neither``, each with what is to be expected of it on the next picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from pawsight.evaluation.metrics import wilson_interval
from pawsight.inference.rejection import OperatingPoint

Scores = NDArray[np.float64]

LOSSES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""The parts of pictures of the classes that thresholds are offered for."""


def operating_points(
    known: Scores, background: Scores | None = None, losses: Sequence[float] = LOSSES
) -> tuple[OperatingPoint, ...]:
    """Choose a threshold for each part of the pictures of the classes that may be lost.

    Where the next picture of a class comes from where the N calibration pictures came from, its
    score is as likely to fall into any of the N + 1 gaps between theirs. So it lies below the k-th
    lowest of them with probability k / (N + 1) (split conformal prediction: Papadopoulos et al.
    2002, *Inductive confidence machines for regression*). That is on average over calibration sets;
    the part that the very set at hand will lose is distributed as Beta(k, N + 1 - k) (Vovk 2012,
    *Conditional validity of inductive conformal predictors*), which gives the interval.

    Args:
        known: Scores of N different pictures of the classes that training did not see, float64
            [N], N ≥ 1. As far as they helped to choose the weights, the promise is a little too
            good.
        background: Scores of pictures of none of the classes, likewise.
        losses: Each in (0, 1). Fewer than 1 / (N + 1) cannot be promised: the lowest offered is
            then that.

    Returns:
        By rising threshold; where several parts have the same threshold, the largest.
    """
    ordered = np.sort(known)
    ranks = sorted({max(int(loss * (len(known) + 1)), 1) for loss in losses})
    points = {
        point.threshold: point
        for rank in ranks
        if rank <= len(known)
        for point in [_point(rounded_down(ordered[rank - 1]), rank, len(known), background)]
    }
    return tuple(points.values())


def rounded_down(score: float) -> float:
    """A threshold of four digits at a picture's score, which it and those that tie must pass."""
    return math.floor(score * 1e4) / 1e4


def _point(threshold: float, rank: int, count: int, background: Scores | None) -> OperatingPoint:
    low, high = (float(each) for each in beta.ppf((0.025, 0.975), rank, count + 1 - rank))
    caught = interval = None
    if background is not None and len(background):
        below = int((background < threshold).sum())
        caught = round(below / len(background), 5)
        interval = _rounded(*wilson_interval(below, len(background)))
    return OperatingPoint(
        threshold=threshold,
        loses=round(rank / (count + 1), 5),
        loses_interval=_rounded(low, high),
        catches=caught,
        catches_interval=interval,
    )


def _rounded(low: float, high: float) -> tuple[float, float]:
    return round(low, 5), round(high, 5)
