"""What the service says of pictures, as a client has it.

Fields that a client does not know are left out, here and of what else the service says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Form(BaseModel):
    """What all of them have."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Problem(Form):
    """A problem document (RFC 9457).

    Attributes:
        detail: What was wrong with this request.
        code: The kind of problem in one word.
        title: The kind of problem in words.
        status: The HTTP status.
        request_id: Names the request in the service's log.
    """

    detail: str
    code: str = "unknown"
    title: str = ""
    status: int = 0
    request_id: str | None = None


class ModelReference(Form):
    """Names a model."""

    name: str
    version: str
    source: str


class Answer(Form):
    """The answer about one picture.

    Attributes:
        id: Of this answer.
        label: One of the model's labels, or ``neither``.
        confidence: The calibrated probability, in [0, 1]: of the label, or, where it is
            ``neither``, of the class that would have been named.
        probabilities: Of every class; they add up to 1.
        score: How much the picture looks like any of the classes at all (log-odds).
        model: Which model was asked.
        decided_by: Which network named the class.
    """

    id: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    score: float
    model: ModelReference
    decided_by: ModelReference


class Record(Form):
    """What became of one picture of a batch: a prediction or a problem."""

    file: str
    prediction: Answer | None = None
    problem: Problem | None = None


class Records(Form):
    """Of a batch."""

    records: list[Record]


class ComparedAnswer(Form):
    """What one of the models says, and in how many milliseconds."""

    prediction: Answer
    milliseconds: float


class Comparison(Form):
    """What each model says about the same picture."""

    answers: list[ComparedAnswer]


class Said(Form):
    """What holds now of an answer, and is on the service's disk.

    Attributes:
        id: Of the answer.
        label: What would have been right, or ``wrong``.
        comment: Of whoever said it.
        time: When this was said first, in UTC.
        replaced: The label that was said before, if it was another.
        picture: Whether the picture is kept.
    """

    id: str
    label: str
    comment: str | None = None
    time: datetime
    replaced: str | None = None
    picture: bool


class RecordedAnswer(Answer):
    """An answer that is on the service's disk.

    Attributes:
        time: When it was given, in UTC.
        digest: The SHA-256 of the picture's bytes.
        milliseconds: From asking the model until its answer.
        margin: How much likelier the likeliest of the classes and ``neither`` is than the next.
        picture: Whether the picture is kept.
        feedback: What was last said of it.
    """

    time: datetime
    digest: str
    milliseconds: float
    margin: float
    picture: bool
    feedback: Said | None = None


class ReviewItem(Form):
    """A picture that nothing was said of yet.

    Attributes:
        answers: The latest of each model; the first is the one to give feedback about.
        disagree: Whether models that know the same labels name different ones.
    """

    answers: list[RecordedAnswer]
    disagree: bool


class ReviewQueue(Form):
    """The pictures to look at, those first whose right answer teaches most."""

    pictures: list[ReviewItem]


class Decided(Form):
    """What was said of answers."""

    answers: list[RecordedAnswer]


@dataclass(frozen=True)
class Explained:
    """Why.

    Attributes:
        png: The picture, coloured: red spoke for the class, blue against it.
        label: What was decided.
        confidence: As an answer's.
        model: ``name@version`` of the model that was asked.
        decided_by: ``name@version`` of the network that named the class.
        explained: The class that is explained.
        method: How.
    """

    png: bytes
    label: str
    confidence: float
    model: str
    decided_by: str
    explained: str
    method: str
