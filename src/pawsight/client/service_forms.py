"""What the service says of itself, as a client has it: its models, and how it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pawsight.client.forms import Form


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
    metrics: list[dict[str, Any]] = Field(default_factory=list)
    card: dict[str, Any] = Field(default_factory=dict)


class Models(Form):
    """That the service has."""

    models: list[Model]


class RunningNetwork(Form):
    """What runs a network (OpenVINO, or ONNX Runtime's provider), and the arithmetic."""

    name: str
    version: str = ""
    provider: str = ""
    precision: str = ""


class RunningModel(Form):
    """What runs a model."""

    name: str
    version: str = ""
    networks: list[RunningNetwork] = Field(default_factory=list)
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
    models: list[RunningModel] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)
    resizing: str = ""
    record: RecordStatus | None = None
    training: TrainingStatus | None = None
