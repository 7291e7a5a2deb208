"""What the service answers, as a client has it. Fields that it does not know are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Problem(_Form):
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


class ModelReference(_Form):
    """Names a model."""

    name: str
    version: str
    source: str


class Answer(_Form):
    """The answer about one picture.

    Attributes:
        id: Of this answer.
        label: One of the model's labels, or ``neither``.
        confidence: The calibrated probability, in [0, 1]: of the label, or, where it is
            ``neither``, of the class that would have been named.
        probabilities: Of every class; they add up to 1.
        score: How much the picture looks like any of the classes at all (log-odds).
        model: Which model was asked.
        decided_by: Which network decided.
    """

    id: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    score: float
    model: ModelReference
    decided_by: ModelReference


class Record(_Form):
    """What became of one picture of a batch: a prediction or a problem."""

    file: str
    prediction: Answer | None = None
    problem: Problem | None = None


class Records(_Form):
    """Of a batch."""

    records: list[Record]


class ComparedAnswer(_Form):
    """What one of the models says, and in how many milliseconds."""

    prediction: Answer
    milliseconds: float


class Comparison(_Form):
    """What each model says about the same picture."""

    answers: list[ComparedAnswer]


class Model(_Form):
    """A model that the service has.

    Attributes:
        name: What it is asked for by.
        version: Of its weights.
        description: One sentence.
        labels: What it tells apart.
    """

    name: str
    version: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()


class Models(_Form):
    """That the service has."""

    models: list[Model]


class Ready(_Form):
    """That pictures can be sent, and which versions of what answer."""

    status: Literal["ready"]
    versions: dict[str, str] = {}


@dataclass(frozen=True)
class Explained:
    """Why.

    Attributes:
        png: The picture, coloured: red spoke for the class, blue against it.
        label: What was decided.
        confidence: As an answer's.
        model: ``name@version`` of the model that was asked.
        decided_by: ``name@version`` of the network that decided.
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
