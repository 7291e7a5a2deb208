"""Record: what was answered about a picture; Feedback: what people said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pawsight.inference.prediction import Prediction
from pawsight.labels import NEITHER, WRONG

MAX_COMMENT: Final = 2000
"""Letters of a comment."""


@dataclass(frozen=True, slots=True)
class Record:
    """An answer. Who asked is no part of it.

    Attributes:
        id: Of the answer, 32 hexadecimal digits.
        time: When it was given, in UTC.
        digest: The SHA-256 of the picture's bytes, 64 hexadecimal digits.
        prediction: What was answered.
        threshold: The model's: pictures that score lower are called ``neither``.
        seconds: From asking the model until its answer.
        picture: The bytes, where they are to be kept.
    """

    id: str
    time: datetime
    digest: str
    prediction: Prediction
    threshold: float
    seconds: float
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was last said of an answer.

    Attributes:
        id: Of the answer.
        digest: Of the picture.
        label: One of its model's classes, ``neither``, or :data:`~pawsight.labels.WRONG`.
        comment: Up to :data:`MAX_COMMENT` letters.
        time: When it was said, in UTC.
        replaced: The label that was said before, if there was another.
    """

    id: str
    digest: str
    label: str
    comment: str | None
    time: datetime
    replaced: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record as it was read, with what was said of it.

    Attributes:
        id: Of the answer.
        time: When it was given, in UTC.
        digest: Of the picture.
        prediction: What was answered; ``decided_by`` has the source of the model.
        margin: See :func:`margin`.
        seconds: From asking the model until its answer.
        feedback: What was last said of it.
    """

    id: str
    time: datetime
    digest: str
    prediction: Prediction
    margin: float
    seconds: float
    feedback: Feedback | None


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be said of an answer.

    Attributes:
        id: Of the answer.
        label: See :class:`Feedback`.
        comment: Likewise.
        digest: Of the picture that came with it, if one did.
    """

    id: str
    label: str
    comment: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ToReview:
    """A picture that nothing was said of yet.

    Attributes:
        answers: The latest of each model and version, the one of the smallest margin first: of it
            feedback is wanted.
        disagree: Whether models that know the same labels name different ones.
    """

    answers: Sequence[Recorded]
    disagree: bool


class UnknownRecord(Exception):
    """No answer of this id is recorded."""


class UnknownLabel(Exception):
    """An answer's model has no such class.

    Args:
        there: What may be said of the answer.
    """

    def __init__(self, there: tuple[str, ...]) -> None:
        super().__init__(f"there are {', '.join(there)}")
        self.there = there


class OtherPicture(Exception):
    """A picture is not the one that the answer is about."""


def margin(probabilities: Mapping[str, float], score: float, threshold: float) -> float:
    """How much likelier the likeliest is than the next, in [0, 1], ``neither`` being one of them.

    As scores are log-odds of the picture showing any of the classes, ``neither`` is taken to have
    probability 1 / (1 + exp(score - threshold)), which is 1/2 where the answer changes; the rest is
    shared by the classes. Small margins teach most (margin sampling, Scheffer et al. 2001, *Active
    hidden Markov models for information extraction*).

    Args:
        probabilities: Of every class; they add up to 1.
        score: Of the picture.
        threshold: Of the model; -inf where nothing is ever called ``neither``.
    """
    odds = score - threshold
    some = 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
    first, second, *_ = sorted([*(some * p for p in probabilities.values()), 1 - some])[::-1]
    return first - second


def may_be_said(classes: Mapping[str, float]) -> tuple[str, ...]:
    """The labels that feedback may have, of an answer with such probabilities."""
    return (*classes, *(each for each in (NEITHER, WRONG) if each not in classes))
