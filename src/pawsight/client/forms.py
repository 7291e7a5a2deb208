"""What the service answers, as a client has it. Fields that it does not know are left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

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
        decided_by: Which network decided.
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


class RecordStatus(Form):
    """How the service's record is doing.

    Attributes:
        status: ``off``, ``starting``, ``written`` or ``not-written``.
        reason: What is wrong, if something is.
        waiting: Answers that are still to be written.
        lost: Answers that never will be.
    """

    status: str
    reason: str | None = None
    waiting: int = 0
    lost: int = 0


class Model(Form):
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


class ModelDetail(Model):
    """A model with its whole card.

    Attributes:
        source: ``embedded``, ``installed`` or ``local``.
        architecture: In words.
        size: Of all its files in bytes.
        threshold: Pictures that score lower are ``neither``; None where none are.
        metrics: What was measured, on which data.
        card: As ``model.json`` has it.
    """

    source: str = ""
    architecture: str = ""
    size: int = 0
    threshold: float | None = None
    metrics: list[dict[str, Any]] = []
    card: dict[str, Any] = {}


class Models(Form):
    """That the service has."""

    models: list[Model]


class RunningNetwork(Form):
    """What runs a network: ONNX Runtime's provider, and the arithmetic."""

    name: str
    version: str = ""
    provider: str = ""
    precision: str = ""


class RunningModel(Form):
    """What runs a model."""

    name: str
    version: str = ""
    networks: list[RunningNetwork] = []
    threads: int = 0


class TrainingStatus(Form):
    """Whether models can be trained by way of the service.

    Attributes:
        status: ``off``, ``on`` or ``unavailable``.
        reason: Why it is unavailable.
        max_bytes: The largest ZIP that it takes, where it is on.
        epochs: How many epochs a full training has where nobody says, where it is on.
        max_epochs: The most that it may have, where it is on.
    """

    status: str
    reason: str | None = None
    max_bytes: int | None = None
    epochs: int | None = None
    max_epochs: int | None = None


class ModelDrift(Form):
    """Whether a model is asked about what it was chosen on.

    Attributes:
        model: Its name.
        network: Whose features are compared.
        drifted: Of the last full window; None where there is none.
        message: The same in words.
        pictures: How many are in the window that is not full yet.
        windows: How many were full since the start.
        time: When the last one was, in UTC.
        features_p: How often the features differ as much where nothing has changed.
        confidence_psi: How much confidences differ: 0.1 is a little, 0.25 a lot.
        confidence_p: How often they differ as much where nothing has changed.
        label_psi: As ``confidence_psi``, of the labels.
        label_p: As ``confidence_p``, of the labels.
        labels: The part of each label in the window.
        expected: The part of each label in the validation pictures.
    """

    model: str
    network: str = ""
    drifted: bool | None = None
    message: str = ""
    pictures: int = 0
    windows: int = 0
    time: datetime | None = None
    features_p: float | None = None
    confidence_psi: float | None = None
    confidence_p: float | None = None
    label_psi: float | None = None
    label_p: float | None = None
    labels: dict[str, float] | None = None
    expected: dict[str, float] | None = None


class Drift(Form):
    """Whether what comes in is like what the models were chosen on.

    Attributes:
        window: Pictures that are compared together; 0 where none are.
        level: The part of windows that may be called drifted where nothing has changed.
        models: Each of the service's.
    """

    window: int
    level: float
    models: list[ModelDrift]


class Ready(Form):
    """That pictures can be sent, what answers them, and how record and trainings are doing."""

    status: Literal["ready"]
    models: list[RunningModel] = []
    versions: dict[str, str] = {}
    record: RecordStatus | None = None
    training: TrainingStatus | None = None


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
