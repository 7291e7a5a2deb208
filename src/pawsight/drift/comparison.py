"""A window of pictures, held against a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pawsight.drift.reference import Numbers, Reference
from pawsight.drift.statistics import Counts, Floats, homogeneity, hotelling, moments, psi
from pawsight.inference.prediction import energy, softmax
from pawsight.labels import NEITHER

_BINS: Final = 10
_TESTS: Final = 3


@dataclass(frozen=True)
class Shift:
    """By how much something differs.

    Attributes:
        psi: Population stability index; None where there are no kinds to count.
        p: How often a difference as large is seen where nothing has changed.
        differs: Whether that is seldom enough.
    """

    psi: float | None
    p: float
    differs: bool


@dataclass(frozen=True)
class WindowComparison:
    """What was found about a window.

    Attributes:
        pictures: How many it has.
        features: What the network sees: Hotelling's test.
        confidences: How sure it is: ten bins that the reference fills alike.
        labels: What it names, ``neither`` too.
        shares: The part of each label in the window.
        expected: The part of each in the reference.
    """

    pictures: int
    features: Shift
    confidences: Shift
    labels: Shift
    shares: dict[str, float]
    expected: dict[str, float]

    @property
    def drifted(self) -> bool:
        """Whether any of the three differs."""
        return any(each.differs for each in (self.features, self.confidences, self.labels))

    @property
    def words(self) -> str:
        """The same for people."""
        if not self.drifted:
            return f"the last {self.pictures} pictures are like those that the model was chosen on"
        found = []
        if self.features.differs:
            found.append("what is seen in them")
        if self.confidences.differs:
            found.append("how sure the model is")
        if self.labels.differs:
            found.append("what they are called")
        return (
            f"the last {self.pictures} pictures are not like those that the model was chosen on: "
            + ", ".join(found)
        )


@dataclass(frozen=True)
class Decision:
    """How a network makes answers of logits.

    Attributes:
        labels: In the order of the logits.
        temperature: Divides them.
        threshold: Of ``logsumexp``, below which the answer is ``neither``.
    """

    labels: Sequence[str]
    temperature: float
    threshold: float

    def confidences(self, logits: Numbers) -> Floats:
        """The probability of the likeliest class, [N]."""
        likeliest: Floats = softmax(logits, self.temperature).max(axis=1)
        return likeliest

    def counts(self, logits: Numbers) -> Counts:
        """How many get each label, [C + 1], ``neither`` last."""
        named = np.where(energy(logits) >= self.threshold, logits.argmax(axis=1), len(self.labels))
        return np.bincount(named, minlength=len(self.labels) + 1).astype(np.int64)


def compare(
    reference: Reference, decision: Decision, features: Numbers, logits: Numbers, level: float
) -> WindowComparison:
    """Hold pictures against the reference by three tests, each at a third of the level.

    So (Bonferroni) where nothing has changed, at most the part ``level`` of windows is called
    different.

    Args:
        reference: Of the network.
        decision: Likewise.
        features: float32 [M, D] of M pictures.
        logits: float32 [M, C] of the same.
        level: In (0, 1).
    """
    enough = level / _TESTS
    sure, asked = decision.confidences(reference.logits), decision.confidences(logits)
    edges = np.quantile(sure, np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = [np.bincount(np.searchsorted(edges, each), minlength=_BINS) for each in (sure, asked)]
    names = [decision.counts(each) for each in (reference.logits, logits)]
    p = hotelling(reference.moments, moments(reference.project(features)))
    called = [*decision.labels, NEITHER]
    shares = [
        dict(zip(called, (each / each.sum()).round(4).tolist(), strict=True)) for each in names
    ]
    return WindowComparison(
        pictures=len(features),
        features=Shift(None, p, p < enough),
        confidences=_shift(bins[0], bins[1], enough),
        labels=_shift(names[0], names[1], enough),
        shares=shares[1],
        expected=shares[0],
    )


def _shift(first: Counts, second: Counts, enough: float) -> Shift:
    p = homogeneity(first, second)
    return Shift(psi(first, second), p, p < enough)
