"""When a fast model may decide alone: thresholds chosen on validation pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pawsight.evaluation.rejection import rounded_down
from pawsight.inference.cascade_card import Choice, Outcome
from pawsight.inference.prediction import energy, softmax
from pawsight.inference.sealed import Share, Strict

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Counts = NDArray[np.intp]

SHARES: Final = tuple(round(0.02 * number, 2) for number in range(51))
"""The parts sent on for which the curve says what they give."""

SPARE: Final = 0.03
"""The part of pictures that is sent on beyond what must be, to be surer that any class is seen."""
SURER: Final = 0.01
"""The part that is sent on beyond that, to be surer which class it is."""

WEIGHTS: Final = (0.0, 0.25, 0.5)
"""The parts that are tried for the fast score in the mean of both; with 0 it has no say there."""

_CANDIDATES: Final = 512  # thresholds that are tried for confidence, and as many for the score
_STRICTER: Final = 64  # thresholds that are tried where both are asked


class ChoiceError(ValueError):
    """Pictures on which no thresholds can be chosen."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model answers about the N validation pictures.

    Attributes:
        right: Whether the most probable class is the right one; not so for pictures of none [N].
        confidence: Calibrated, of that class [N].
        scores: How much each looks like any of the classes [N].
    """

    right: Mask
    confidence: Values
    scores: Values

    @classmethod
    def of(cls, logits: NDArray[np.float32], labels: NDArray[np.intp], temperature: float) -> Asked:
        """Of logits [N, C], the right classes [N], -1 for none, and the calibration."""
        shares = softmax(logits, temperature)
        return cls(shares.argmax(axis=1) == labels, shares.max(axis=1), energy(logits))


@dataclass(frozen=True, eq=False)
class Members:
    """What the members of a cascade answer about the N validation pictures.

    Attributes:
        fast: The fast model, which is asked about every one.
        strong: The strong one, which the cascade is to be as good as.
        known: Which pictures show one of the classes [N].
    """

    fast: Asked
    strong: Asked
    known: Mask

    def mean_scores(self, weight: float) -> Values:
        """Of both, where the fast one's has this part in the mean [N]."""
        return weight * self.fast.scores + (1 - weight) * self.strong.scores


class Allowance(Strict):
    """By how much a cascade may be worse than its strong model on the validation pictures.

    Attributes:
        accuracy: The part of pictures of the classes about which it may be wrong where the strong
            one is right.
        catches: The part of pictures of none of the classes that it may catch less.
    """

    accuracy: Share = 0.001
    catches: Share = 0.01


@dataclass(frozen=True)
class Goal:
    """What a cascade must reach on the validation pictures.

    Attributes:
        no_worse: Pictures of the classes about which it is not wrong where the strong model is
            right, at least.
        lost: Pictures of the classes that are called ``neither``, at most.
        caught: Pictures of none of the classes that are called so, at least.
    """

    no_worse: float
    lost: int
    caught: float

    @classmethod
    def of(cls, members: Members, threshold: float, allowance: Allowance) -> Goal:
        """To be as good as the strong model alone, but for the allowance."""
        known = members.known
        rejected = members.strong.scores < threshold
        return cls(
            no_worse=(1 - allowance.accuracy) * int(known.sum()),
            lost=int((rejected & known).sum()),
            caught=int((rejected & ~known).sum()) - allowance.catches * int((~known).sum()),
        )


def choose(
    members: Members,
    *,
    threshold: float,
    allowance: Allowance,
    least: float = -math.inf,
    may_lose: float | None = None,
) -> tuple[Choice, Trade]:
    """Choose thresholds that send on few of the validation pictures.

    Of all that send on at most :data:`SPARE` more than the fewest, those by which the fast model
    has to see most of a class to name it; and beside that score, of all that send on at most
    :data:`SURER` more again, the confidence with which fewest mistakes are expected, as both
    members' calibrated confidences say. Where the fewest are sent on, single pictures decide, and
    of the mistakes on a few thousand pictures there are too few to be counted.

    Under three conditions, all on these pictures, and but for the allowance: it is right where the
    strong model alone is right (to be right as often would say less, as mistakes on some pictures
    may be made up for on others); no more pictures of the classes are called ``neither`` than the
    strong model alone calls so at its threshold; and no fewer of the others.

    Where both are asked, the fast score has one of :data:`WEIGHTS` in the mean: of those that reach
    this, the one with which the mean tells best which pictures show none of the classes (AUROC);
    0 where there are no such pictures. What the fast model accepts is not lost any more where the
    strong one is asked, so both together may be stricter there than if they were always asked:
    their threshold is chosen together with those of the fast model, from the one upwards at which
    they would lose as many as the strong model does alone.

    Args:
        members: What they answer about N pictures.
        threshold: Of the strong model alone.
        allowance: By how much the cascade may be worse.
        least: The lowest score at which the fast model may name a class.
        may_lose: What the strong model alone is expected to lose at its threshold, for the card.

    Raises:
        ChoiceError: No picture shows one of the classes, or the fast model could name none.
    """
    fast, known = members.fast, members.known
    if not known.any():
        raise ChoiceError("thresholds are chosen on pictures of the classes, and here are none")
    if not (fast.scores >= least).any():
        raise ChoiceError(
            f"the fast model alone would call all {len(known)} pictures neither, and has nothing "
            "to decide: name another, or add pictures that are labelled so"
        )
    goal = Goal.of(members, threshold, allowance)

    def trades(weight: float) -> Iterator[Trade]:
        # One at a time: each takes some ten megabytes.
        for each in _stricter(members, weight, threshold):
            yield Trade(members, weight, each, least)

    def fewest(weight: float) -> float:
        return min(trade.fewest(goal) for trade in trades(weight))

    # The strong score alone always reaches the goal: where all are sent on, if not before.
    reached = ((each, fewest(each)) for each in _weights(members))
    weight, sent_on = next((each, share) for each, share in reached if math.isfinite(share))
    found = ((trade, trade.strictest(goal, sent_on)) for trade in trades(weight))
    trade, pair = max(
        ((trade, pair) for trade, pair in found if pair), key=lambda one: one[0].merits(one[1])
    )
    return trade.choice(pair, may_lose), trade


def _weights(members: Members) -> list[float]:
    """Those to try: first that with which the mean tells best what is neither, by AUROC."""
    known = members.known
    if known.all():
        return [0.0]  # nothing tells what the fast score is worth

    def told(weight: float) -> float:
        return float(roc_auc_score(known, members.mean_scores(weight)))

    return sorted(WEIGHTS, key=told, reverse=True)


def _stricter(members: Members, weight: float, threshold: float) -> list[float]:
    """Thresholds of the mean, from where it loses as many as the strong model does at its own.

    Up to where twice as many would be lost, :data:`_STRICTER` of them at most. Without the fast
    model's say, the first is the strong model's own.
    """
    known = members.known
    scores = np.sort(members.mean_scores(weight)[known])
    lost = int((members.strong.scores < threshold)[known].sum())
    further = scores[lost : 2 * lost + 1]
    places = np.linspace(0, len(further) - 1, min(len(further), _STRICTER)).astype(int)
    beyond = [rounded_down(score) for score in further[places]]
    first = threshold if weight == 0 or not beyond else beyond[0]
    return sorted({first, *(each for each in beyond if each > first)})


class Trade:
    """What every pair of thresholds of the fast model gives, beside one of both together.

    The fast model says ``neither`` alone only where its score is lower than that of every
    validation picture of a class: the next such picture lies there with probability
    1 / (N + 1) (:mod:`pawsight.evaluation.rejection`). Where its confidence and its score reach the
    thresholds, it names the class. All other pictures are sent on.

    Args:
        members: What they answer; at least one picture shows one of the classes.
        weight: One of :data:`WEIGHTS`.
        threshold: Of the mean of both scores, where the strong model is asked.
        least: The lowest score at which the fast model may name a class.
    """

    def __init__(self, members: Members, weight: float, threshold: float, least: float) -> None:
        fast, strong, known = members.fast, members.strong, members.known
        self.weight, self.threshold = weight, threshold
        self.reject = rounded_down(float(fast.scores[known].min()))
        alone = fast.scores < self.reject
        rejected = members.mean_scores(weight) < threshold
        self._known, self._others = int(known.sum()), int((~known).sum())
        self.confidences = _candidates(fast.confidence, 6)
        scores = _candidates(fast.scores, 4)
        self.accepts = scores[scores >= max(self.reject, least)]
        place = (
            np.searchsorted(self.confidences, fast.confidence, side="right"),
            np.searchsorted(self.accepts, fast.scores, side="right"),
        )

        def total(decided: Mask | Values, sent_on: Mask | Values) -> Values:
            """What pictures add up to, each as it counts if decided by the one or the other."""
            change = np.where(alone, 0, decided * 1.0 - sent_on)
            settled = float(np.where(alone, decided, sent_on).sum())
            return settled + self._reached(place, change)

        never = np.zeros_like(known)
        self._sent_on = total(never, np.ones_like(known)) / len(known)
        self._right = total(fast.right & known, strong.right & known)
        self._no_worse = total((fast.right >= strong.right) & known, known)
        self._mistakes = total((1 - fast.confidence) * known, (1 - strong.confidence) * known)
        # Of those whom the fast model decides, it rejects only what it rejects alone.
        self._lost = total(alone & known, rejected & known)
        self._caught = total(alone & ~known, rejected & ~known)

    def _reached(self, place: tuple[Counts, Counts], change: Values) -> Values:
        """Sums over the pictures that reach both thresholds, for every pair of them."""
        shape = (len(self.confidences) + 1, len(self.accepts) + 1)
        cells = np.zeros(shape)
        np.add.at(cells, place, change)
        sums: Values = cells[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
        return sums[1:, 1:]

    def fewest(self, goal: Goal) -> float:
        """The smallest share that is sent on where the goal is reached; infinite if it never is."""
        return float(np.where(self._reaching(goal), self._sent_on, np.inf).min())

    def strictest(self, goal: Goal, fewest: float) -> tuple[int, int] | None:
        """The thresholds of the highest merits that reach the goal.

        They send on at most :data:`SPARE` more than the fewest, for the score, and :data:`SURER`
        more again, for the confidence; None where none does.
        """
        reaching = self._reaching(goal)
        fitting = reaching & (self._sent_on <= fewest + SPARE + 1e-9)
        if not fitting.any():
            return None
        column = int(fitting.any(axis=0).nonzero()[0][-1])
        fitting = reaching & (self._sent_on <= fewest + SPARE + SURER + 1e-9)
        rows = fitting[:, column].nonzero()[0]
        return max(((int(row), column) for row in rows), key=self.merits)

    def merits(self, pair: tuple[int, int]) -> tuple[float, float, float]:
        """By which thresholds are preferred: the score that is asked for, few mistakes, thrift."""
        mistakes = round(float(self._mistakes[pair]), 2)
        return float(self.accepts[pair[1]]), -mistakes, -float(self._sent_on[pair])

    def _reaching(self, goal: Goal) -> Mask:
        reaching: Mask = (
            (self._no_worse >= goal.no_worse - 1e-9)
            & (self._lost <= goal.lost)
            & (self._caught >= goal.caught - 1e-9)
        )
        return reaching

    def best(self, share: float) -> tuple[int, int]:
        """The thresholds that answer most pictures rightly, sending on at most this share."""
        rightly = self._right - self._lost + self._caught
        cheap = self._sent_on <= max(share, float(self._sent_on.min())) + 1e-9
        return self._best(np.where(cheap, rightly, -np.inf), -self._sent_on)

    @staticmethod
    def _best(first: Values, second: NDArray[np.generic]) -> tuple[int, int]:
        row, column = np.unravel_index(np.lexsort((second.ravel(), first.ravel()))[-1], first.shape)
        return int(row), int(column)

    def choice(self, pair: tuple[int, int], may_lose: float | None) -> Choice:
        """A pair of thresholds, as the card keeps it."""
        row, column = pair
        return Choice(
            may_lose=may_lose,
            confidence=float(self.confidences[row]),
            accept=float(self.accepts[column]),
            reject=self.reject,
            weight=self.weight,
            reject_together=self.threshold,
            outcome=self.outcome(pair),
        )

    def outcome(self, pair: tuple[int, int]) -> Outcome:
        """What a pair of thresholds gives on the validation pictures."""
        return Outcome(
            sent_on=round(float(self._sent_on[pair]), 8),
            accuracy=round(int(self._right[pair]) / self._known, 8),
            loses=round(int(self._lost[pair]) / self._known, 8),
            catches=round(int(self._caught[pair]) / self._others, 8) if self._others else None,
        )

    def curve(self) -> tuple[Outcome, ...]:
        """What each share that is sent on gives at best, by rising share, the same ones once."""
        outcomes = (self.outcome(self.best(share)) for share in SHARES)
        return tuple(outcome for outcome, _ in groupby(outcomes))


def _candidates(values: Values, digits: int) -> Values:
    """Thresholds to try: values that pictures have, rounded down, and one that none reaches."""
    quantiles = np.quantile(values, np.linspace(0, 1, _CANDIDATES), method="lower")
    scale = 10.0**digits
    return np.unique([*np.floor(quantiles * scale) / scale, np.ceil(values.max()) + 1])
