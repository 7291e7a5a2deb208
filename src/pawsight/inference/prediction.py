"""Logits → Prediction: what pawsight answers about a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pawsight.labels import NEITHER


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Names a model.

    Attributes:
        name: As it was asked for, or as its card calls it.
        version: The first twelve digits of its weights' SHA-256; of a cascade, of the SHA-256 of
            its members and thresholds.
        source: ``embedded``, ``installed``, or ``local`` for a folder that was named by path.
    """

    name: str
    version: str
    source: str

    def __str__(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer about one picture.

    Attributes:
        label: One of the model's labels, or ``neither``.
        confidence: The calibrated probability, in [0, 1]: of the label, or, where the label is
            ``neither``, of the class that would have been named.
        probabilities: Of every class, given that it is one of them; they add up to 1.
        score: How much the picture looks like any of the classes at all: the log-odds
            ``logsumexp(logits)``, or of a cascade how far this lies above the threshold of whoever
            decided; below the model's threshold the label is ``neither``.
        model: Which model was asked.
        decided_by: Which network named the class: a cascade's member, else the model itself.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    score: float
    model: ModelReference
    decided_by: ModelReference

    @property
    def rejected(self) -> bool:
        """Whether the picture shows none of the classes."""
        return self.label == NEITHER


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities float64 [N, C] of logits [N, C], each divided by the temperature."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def energy(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """``logsumexp`` of logits [N, C], float64 [N]: high for pictures of a known class.

    Liu et al. 2020, *Energy-based out-of-distribution detection* (there with the sign turned).
    """
    wide = logits.astype(np.float64)
    highest = wide.max(axis=1)
    total: NDArray[np.float64] = highest + np.log(np.exp(wide - highest[:, None]).sum(axis=1))
    return total


def conclude(
    logits: NDArray[np.float32],
    labels: Sequence[str],
    *,
    temperature: float,
    threshold: float,
    model: ModelReference,
) -> list[Prediction]:
    """Turn the logits of a batch into predictions.

    Args:
        logits: float32 [N, C].
        labels: C names, in the order of the logits.
        temperature: Divides the logits before the softmax (Guo et al. 2017, *On calibration of
            modern neural networks*).
        threshold: A picture whose energy is lower is rejected.
        model: What answers.
    """
    shares = softmax(logits, temperature)
    scores = energy(logits)
    return [
        Prediction(
            label=labels[best] if score >= threshold else NEITHER,
            confidence=float(row[best]),
            probabilities=dict(zip(labels, row.tolist(), strict=True)),
            score=float(score),
            model=model,
            decided_by=model,
        )
        for row, best, score in zip(shares, shares.argmax(axis=1), scores, strict=True)
    ]
