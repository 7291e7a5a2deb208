"""A model asked about labelled pictures, through the same path as in serving."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pawsight.evaluation.metrics import Labels, expected_calibration_error, wilson_interval
from pawsight.images.files import named
from pawsight.inference.artifact import Measurement
from pawsight.inference.model import Model
from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.labels import NEITHER, numbers_of

Mask = NDArray[np.bool_]
Shares = NDArray[np.float64]


class EvaluationError(ValueError):
    """Nothing that could be measured."""


@dataclass(frozen=True)
class Evaluation:
    """What a model answered about labelled pictures, and what that amounts to.

    Attributes:
        model: Which.
        data: Name of the data.
        classes: C labels, in the order of the probabilities.
        labels: The right class of each picture [N]; -1 for none of the classes.
        probabilities: Calibrated, given that it is one of the classes: float64 [N, C].
        scores: How much each picture looks like any of the classes: float64 [N]. Of a cascade, how
            far the fast member's, or the mean of both, lies above the one at which ``neither`` is
            said there: its zero is the decision, for AUROC and curves.
        threshold: A picture that scores lower is rejected.
        members: The networks that decide.
        deciders: The number of the one that named each picture's class [N].
        seconds: That reading and answering all N took.
        processor_seconds: Likewise, of the processors: what else the machine does is not in them.
    """

    model: ModelReference
    data: str
    classes: tuple[str, ...]
    labels: Labels
    probabilities: Shares
    scores: Shares
    threshold: float
    members: tuple[str, ...]
    deciders: Labels
    seconds: float
    processor_seconds: float = 0.0

    def of(self, rows: Mask) -> Evaluation:
        """The same of some of the pictures: those where ``rows`` [N] is set."""
        share = float(rows.mean()) if len(rows) else 0.0
        return replace(
            self,
            labels=self.labels[rows],
            probabilities=self.probabilities[rows],
            scores=self.scores[rows],
            deciders=self.deciders[rows],
            seconds=self.seconds * share,
            processor_seconds=self.processor_seconds * share,
        )

    @property
    def answers(self) -> Labels:
        """The most probable class of each picture, rejected or not [N]."""
        best: Labels = self.probabilities.argmax(axis=1)
        return best

    @property
    def decided(self) -> dict[str, float]:
        """Network → the part of all pictures of which it named the class."""
        return {
            name: float((self.deciders == number).mean())
            for number, name in enumerate(self.members)
        }

    @property
    def sent_on(self) -> float | None:
        """The part of all pictures that a cascade's strong model saw; None without one."""
        return float(self.deciders.mean()) if len(self.members) > 1 else None

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
        equal: Mask = self.answers == self.labels
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
        answers = np.where(self.rejected, len(self.classes), self.answers)
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
            sent_on=_rounded(self.sent_on),
        )

    def as_dict(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return {
            **self.measurement().model_dump(),
            "accuracy_interval_95": self.accuracy_interval,
            "catches_interval_95": self.catches_interval,
            "confusion": self.confusion,
            "decided": self.decided,
        }


def _mean(values: Mask) -> float | None:
    return float(values.mean()) if len(values) else None


def _interval(values: Mask) -> tuple[float, float] | None:
    return wilson_interval(int(values.sum()), len(values)) if len(values) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 8)


def evaluate(
    model: Model,
    paths: Sequence[str],
    labels: Sequence[str],
    *,
    data: str,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Ask a model about every picture.

    Args:
        model: The model.
        paths: N files.
        labels: N labels: the model's, or ``neither``.
        data: What to call the data.
        progress: Called with the number of pictures after each step.

    Raises:
        EvaluationError: No pictures, or a label that the model does not have.
        ImageError, OSError: A picture that cannot be used, which is named.
    """
    if not paths:
        raise EvaluationError(f"{data}: no pictures to evaluate on")
    classes = model.card.labels
    unknown = sorted(set(labels) - {*classes, NEITHER})
    if unknown:
        raise EvaluationError(
            f"the model {model.reference.name!r} knows {', '.join(classes)}; "
            f"the table also has {', '.join(unknown)}"
        )
    start, used = time.perf_counter(), time.process_time()
    answers = []
    for path, answer in zip(paths, model.predict_each(paths), strict=True):
        if isinstance(answer, Exception):
            with named(path):
                raise answer
        answers.append(answer)
        if progress:
            progress(1)
    return judge(
        answers,
        labels,
        data=data,
        threshold=model.threshold,
        members=[each.reference for each in model.members],
        seconds=time.perf_counter() - start,
        processor_seconds=time.process_time() - used,
    )


def judge(
    answers: Sequence[Prediction],
    labels: Sequence[str],
    *,
    data: str,
    threshold: float,
    members: Sequence[ModelReference],
    seconds: float = 0.0,
    processor_seconds: float = 0.0,
) -> Evaluation:
    """Hold a model's answers against the right labels.

    Args:
        answers: To N pictures, one or more.
        labels: N labels: the model's, or ``neither``.
        data: What to call the data.
        threshold: Of the model's rejection.
        members: The networks that decide.
        seconds: That reading and answering took.
        processor_seconds: Likewise, of the processors.
    """
    classes = tuple(answers[0].probabilities)
    numbers = numbers_of(classes)
    return Evaluation(
        model=answers[0].model,
        data=data,
        classes=classes,
        labels=np.array([numbers[label] for label in labels], dtype=np.intp),
        probabilities=np.array([[*each.probabilities.values()] for each in answers]),
        scores=np.array([each.score for each in answers]),
        threshold=threshold,
        members=tuple(each.name for each in members),
        deciders=np.array([members.index(each.decided_by) for each in answers], dtype=np.intp),
        seconds=seconds,
        processor_seconds=processor_seconds,
    )
