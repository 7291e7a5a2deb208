"""A model asked about labelled pictures, through the same path as in serving."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pawsight.evaluation.metrics import (
    Labels,
    Logits,
    expected_calibration_error,
    wilson_interval,
)
from pawsight.inference.artifact import Measurement
from pawsight.inference.classifier import Classifier
from pawsight.inference.prediction import ModelReference, energy, softmax
from pawsight.labels import BACKGROUND, NEITHER

Mask = NDArray[np.bool_]


class EvaluationError(ValueError):
    """Nothing that could be measured."""


@dataclass(frozen=True)
class Evaluation:
    """What a model answered about labelled pictures, and what that amounts to.

    Attributes:
        model: Which.
        data: Name of the data.
        classes: C labels, in the order of the logits.
        labels: The right class of each picture [N]; -1 for none of the classes.
        logits: float32 [N, C].
        temperature: Of the model's calibration.
        threshold: Of the model's rejection.
        seconds: That reading and answering all N took.
    """

    model: ModelReference
    data: str
    classes: tuple[str, ...]
    labels: Labels
    logits: Logits
    temperature: float
    threshold: float
    seconds: float

    def of(self, rows: Mask) -> Evaluation:
        """The same of some of the pictures: those where ``rows`` [N] is set."""
        share = float(rows.mean()) if len(rows) else 0.0
        return replace(
            self, labels=self.labels[rows], logits=self.logits[rows], seconds=self.seconds * share
        )

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """How much each picture looks like any of the classes [N]."""
        return energy(self.logits)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Calibrated, given that it is one of the classes [N, C]."""
        return softmax(self.logits, self.temperature)

    @property
    def known(self) -> Mask:
        """Which pictures show one of the classes [N]."""
        return self.labels >= 0

    @property
    def rejected(self) -> Mask:
        """Whether the answer is ``neither`` [N]."""
        below: Mask = self.scores < self.threshold
        return below

    @property
    def right(self) -> Mask:
        """Whether the most probable class is the right one, rejected or not [N]."""
        equal: Mask = self.logits.argmax(axis=1) == self.labels
        return equal

    @property
    def accuracy(self) -> float | None:
        """The part of the classes' pictures that are right, rejected or not; None without any."""
        return _mean(self.right[self.known])

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """The accuracy's 95 % confidence interval."""
        return _interval(self.right[self.known])

    @property
    def ece(self) -> float | None:
        """The expected calibration error, in [0, 1]."""
        if not self.known.any():
            return None
        return expected_calibration_error(self.probabilities[self.known], self.labels[self.known])

    @property
    def loses(self) -> float | None:
        """The part of the classes' pictures that is rejected; None without any."""
        return _mean(self.rejected[self.known])

    @property
    def catches(self) -> float | None:
        """The part of the pictures of none of the classes that is rejected; None without any."""
        return _mean(self.rejected[~self.known])

    @property
    def catches_interval(self) -> tuple[float, float] | None:
        """Its 95 % confidence interval."""
        return _interval(self.rejected[~self.known])

    @property
    def auroc(self) -> float | None:
        """How often a picture of a class scores higher than one of none, in [0, 1]."""
        if self.known.all() or not self.known.any():
            return None
        return float(roc_auc_score(self.known, self.scores))

    @property
    def confusion(self) -> dict[str, dict[str, int]]:
        """Right label → answered label (``neither`` among them) → pictures."""
        names = [*self.classes, NEITHER]
        answers = np.where(self.rejected, len(self.classes), self.logits.argmax(axis=1))
        truths = np.where(self.known, self.labels, len(self.classes))
        return {
            name: {
                answer: int(((truths == row) & (answers == column)).sum())
                for column, answer in enumerate(names)
            }
            for row, name in enumerate(names)
            if (truths == row).any()
        }

    def measurement(self) -> Measurement:
        """The figures as a model's card keeps them."""
        return Measurement(
            data=self.data,
            pictures=len(self.labels),
            accuracy=_rounded(self.accuracy),
            ece=_rounded(self.ece),
            loses=_rounded(self.loses),
            catches=_rounded(self.catches),
            auroc=_rounded(self.auroc),
        )

    def as_dict(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return {
            **self.measurement().model_dump(),
            "accuracy_interval_95": self.accuracy_interval,
            "catches_interval_95": self.catches_interval,
            "confusion": self.confusion,
        }


def _mean(values: Mask) -> float | None:
    return float(values.mean()) if len(values) else None


def _interval(values: Mask) -> tuple[float, float] | None:
    return wilson_interval(int(values.sum()), len(values)) if len(values) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def evaluate(
    classifier: Classifier,
    paths: Sequence[str],
    labels: Sequence[str],
    *,
    data: str,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Ask a model about every picture.

    Args:
        classifier: The model.
        paths: N files.
        labels: N labels: the model's, or ``neither``.
        data: What to call the data.
        progress: Called with the number of pictures after each step.

    Raises:
        EvaluationError: No pictures, or a label that the model does not have.
        ImageError, OSError: A picture that cannot be used.
    """
    if not paths:
        raise EvaluationError(f"{data}: no pictures to evaluate on")
    classes = classifier.card.labels
    unknown = sorted(set(labels) - {*classes, NEITHER})
    if unknown:
        raise EvaluationError(
            f"the model {classifier.reference.name!r} knows {', '.join(classes)}; "
            f"the table also has {', '.join(unknown)}"
        )
    numbers = {name: number for number, name in enumerate(classes)} | {NEITHER: BACKGROUND}
    start = time.perf_counter()
    logits = classifier.logits(list(paths), progress=progress)
    return Evaluation(
        model=classifier.reference,
        data=data,
        classes=classes,
        labels=np.array([numbers[label] for label in labels], dtype=np.intp),
        logits=logits,
        temperature=classifier.card.temperature,
        threshold=classifier.threshold,
        seconds=time.perf_counter() - start,
    )
