"""A model asked about labelled pictures, through the same path as in serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pawsight.evaluation.metrics import (
    Labels,
    Logits,
    expected_calibration_error,
    wilson_interval,
)
from pawsight.inference.artifact import Measurement
from pawsight.inference.classifier import Classifier
from pawsight.inference.prediction import energy, softmax
from pawsight.labels import BACKGROUND, NEITHER


class EvaluationError(ValueError):
    """Nothing that could be measured."""


@dataclass(frozen=True)
class Evaluation:
    """What a model answered about labelled pictures, and what that amounts to.

    Attributes:
        model: The name that it was asked for by.
        data: Name of the data.
        classes: C labels, in the order of the logits.
        labels: The right class of each picture [N]; -1 for none of the classes.
        logits: float32 [N, C].
        temperature: Of the model's calibration.
        threshold: Of the model's rejection.
    """

    model: str
    data: str
    classes: tuple[str, ...]
    labels: Labels
    logits: Logits
    temperature: float
    threshold: float

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which pictures show one of the classes [N]."""
        return self.labels >= 0

    @property
    def right(self) -> NDArray[np.bool_]:
        """Of the pictures of the classes: whether the most probable class is the right one."""
        answered: NDArray[np.intp] = self.logits[self.known].argmax(axis=1)
        equal: NDArray[np.bool_] = answered == self.labels[self.known]
        return equal

    @property
    def rejected(self) -> NDArray[np.bool_]:
        """Whether the answer is ``neither`` [N]."""
        below: NDArray[np.bool_] = energy(self.logits) < self.threshold
        return below

    @property
    def accuracy(self) -> float | None:
        """The part of the class's pictures that are right, rejected or not; None without any."""
        return float(self.right.mean()) if self.known.any() else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The accuracy's 95 % confidence interval."""
        if not self.known.any():
            return None
        return wilson_interval(int(self.right.sum()), len(self.right))

    @property
    def ece(self) -> float | None:
        """The expected calibration error, in [0, 1]."""
        if not self.known.any():
            return None
        shares = softmax(self.logits[self.known], self.temperature)
        return expected_calibration_error(shares, self.labels[self.known])

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
            rejected=round(float(self.rejected.mean()), 5),
            ece=_rounded(self.ece),
        )

    def as_dict(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return {
            "model": self.model,
            **self.measurement().model_dump(),
            "accuracy_interval_95": self.interval,
            "confusion": self.confusion,
        }


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
    return Evaluation(
        model=classifier.reference.name,
        data=data,
        classes=classes,
        labels=np.array([numbers[label] for label in labels], dtype=np.intp),
        logits=classifier.logits(list(paths), progress=progress),
        temperature=classifier.card.temperature,
        threshold=classifier.card.rejection.threshold,
    )
