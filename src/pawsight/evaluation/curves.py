"""What a page draws and a slider walks along: counts at thresholds, confidence by confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pawsight.evaluation.evaluate import Evaluation, Mask
from pawsight.evaluation.metrics import BINS, bins_of

POINTS: Final = 200
"""Thresholds of a curve that the pictures at hand choose."""
_STOPS: Final = tuple(number / 100 for number in range(101))
"""Probabilities that a slider stops at."""


def curves(evaluation: Evaluation) -> dict[str, Any]:
    """Every curve that the data at hand allow, for a JSON file.

    Returns:
        ``reliability``: for each bin of confidence that has pictures its mean ``confidence``, the
        part that is ``right``, and ``pictures``. ``classes``: label → counts over the classes'
        pictures, by the label's probability. ``any``: counts over all pictures, by the score that
        decides on ``neither``; None where all or none of them are. Counts are those of
        :func:`counts`.
    """
    known = evaluation.known
    labels = evaluation.labels[known]
    found = {
        name: counts(evaluation.probabilities[known, number], labels == number, _STOPS)
        for number, name in enumerate(evaluation.classes)
        if 0 < (labels == number).sum() < len(labels)
    }
    both = known.any() and not known.all()
    return {
        "reliability": reliability(evaluation),
        "classes": found,
        "any": counts(evaluation.scores, known) if both else None,
    }


def counts(values: NDArray[np.float64], truth: Mask, stops: Sequence[float] = ()) -> dict[str, Any]:
    """How many pictures reach each of a number of thresholds.

    Args:
        values: Of N pictures [N].
        truth: Which of them are positive [N].
        stops: Thresholds to be among them.

    Returns:
        ``positives`` and ``negatives``: how many there are; ``thresholds``, rising: the stops and
        at most :data:`POINTS`, close where a positive one is rare below or a negative one above;
        ``true`` and ``false``: how many positive and how many negative pictures reach each.
    """
    positive, negative = np.sort(values[truth]), np.sort(values[~truth])
    # Half of the thresholds are quantiles of either side, crowded towards its doubtful end.
    share = np.linspace(0, 1, POINTS // 2) ** 3
    chosen = np.concatenate([np.quantile(positive, share), np.quantile(negative, 1 - share), stops])
    chosen = np.unique(np.round(chosen, 6))
    return {
        "positives": len(positive),
        "negatives": len(negative),
        "thresholds": [float(each) for each in chosen],
        "true": _reaching(positive, chosen),
        "false": _reaching(negative, chosen),
    }


def _reaching(ordered: NDArray[np.float64], thresholds: NDArray[np.float64]) -> list[int]:
    return [int(each) for each in len(ordered) - np.searchsorted(ordered, thresholds)]


def reliability(evaluation: Evaluation) -> list[dict[str, float]]:
    """How often answers of each confidence are right (Niculescu-Mizil & Caruana 2005)."""
    shares = evaluation.probabilities[evaluation.known]
    right = evaluation.right[evaluation.known]
    confidence = shares.max(axis=1)
    place = bins_of(confidence)
    return [
        {
            "confidence": round(float(confidence[place == bin_].mean()), 5),
            "right": round(float(right[place == bin_].mean()), 5),
            "pictures": int((place == bin_).sum()),
        }
        for bin_ in range(BINS)
        if (place == bin_).any()
    ]
