"""What the service answers, as pydantic models that the OpenAPI document is made of."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pawsight.inference.artifact import Card, Measurement
from pawsight.inference.cascade_card import CascadeCard
from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.inference.session import Precision
from pawsight.serving.errors import Problem
from pawsight.serving.routes.record_status import RecordStatus
from pawsight.serving.routes.training_schemas import TrainingStatus

_ANSWER: dict[str, JsonValue] = {
    "id": "6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a",
    "label": "cat",
    "confidence": 0.982,
    "probabilities": {"cat": 0.982, "dog": 0.018},
    "score": 7.31,
    "model": {"name": "auto", "version": "5b4a3f2e1d0c", "source": "embedded"},
    "decided_by": {"name": "custom", "version": "0c1d2e3f4a5b", "source": "embedded"},
}
_RECORDS: list[JsonValue] = [
    {"file": "tom.jpg", "prediction": _ANSWER, "problem": None},
    {
        "file": "half.jpg",
        "prediction": None,
        "problem": Problem.of(
            "truncated", "truncated: the JPEG ends before its picture does"
        ).model_dump(),
    },
]


_VERSION = (
    "The first twelve digits of its weights' SHA-256; of a cascade, of one over its members and "
    "thresholds."
)


class ModelReference(BaseModel):
    """Names a model."""

    name: str = Field(description="What it is asked for by.")
    version: str = Field(description=_VERSION)
    source: str = Field(description="`embedded`, `installed`, or `local` for a folder by path.")


class Answer(BaseModel):
    """The answer about one picture."""

    model_config = ConfigDict(json_schema_extra={"example": _ANSWER})

    id: str = Field(description="Of this answer; every answer has its own. Feedback names it.")
    label: str = Field(description="One of the model's labels, or `neither`.")
    confidence: float = Field(
        description="The calibrated probability of the label, in [0, 1]; where the label is "
        "`neither`, of the class that would have been named."
    )
    probabilities: dict[str, float] = Field(
        description="Of every class, given that it is one of them; they add up to 1."
    )
    score: float = Field(
        description="How much the picture looks like any of the classes at all (log-odds; of a "
        "cascade, above the threshold of whoever decided); below the model's threshold the "
        "label is `neither`."
    )
    model: ModelReference = Field(description="Which model was asked.")
    decided_by: ModelReference = Field(
        description="Which network named the class: a cascade's member, else the model itself."
    )

    @classmethod
    def of(cls, prediction: Prediction, id_: str) -> Answer:
        """A prediction with its id."""
        said = {name: getattr(prediction, name) for name in cls.model_fields if name != "id"}
        return cls.model_validate({"id": id_, **said}, from_attributes=True)


class BatchRecord(BaseModel):
    """What became of one picture of a batch: a prediction or a problem."""

    file: str = Field(description="The file's name as it was sent, cut to 255 characters.")
    prediction: Answer | None = None
    problem: Problem | None = None


class BatchAnswer(BaseModel):
    """A record for each picture, in the order in which they were sent."""

    model_config = ConfigDict(json_schema_extra={"example": {"records": _RECORDS}})

    records: list[BatchRecord]


class RunningNetwork(BaseModel):
    """What runs a network."""

    name: str
    version: str = Field(description="The first twelve digits of its weights' SHA-256.")
    provider: str = Field(
        description="What really runs it: `OpenVINO`, or ONNX Runtime's execution provider."
    )
    precision: Precision = Field(description="The arithmetic in which it really computes.")

    @classmethod
    def of(cls, network: Classifier) -> RunningNetwork:
        """What is told of a network."""
        return cls(
            name=network.reference.name,
            version=network.reference.version,
            provider=network.provider,
            precision=network.precision,
        )


class ModelSummary(BaseModel):
    """A model that answers."""

    name: str
    version: str = Field(description=_VERSION)
    source: str = Field(description="`embedded`, `installed`, or `local` for a folder by path.")
    description: str
    architecture: str
    labels: list[str]
    size: int = Field(description="Of all its files in bytes, with its members'.")
    networks: list[RunningNetwork] = Field(
        description="Which decide: one, or a cascade's fast one and its strong one."
    )
    threshold: float | None = Field(
        description="Pictures that score lower are answered `neither`; null where none are."
    )
    metrics: list[Measurement]

    @classmethod
    def of(cls, model: Model) -> ModelSummary:
        """What is told of a model."""
        return cls(**_told_of(model))


class Models(BaseModel):
    """Every model that may be asked for."""

    models: list[ModelSummary]


class ModelDetail(ModelSummary):
    """A model that answers, with its whole card."""

    card: Card | CascadeCard

    @classmethod
    def of(cls, model: Model) -> ModelDetail:
        """What is told of a model, and its card."""
        return cls.model_validate({**_told_of(model), "card": model.card})


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class RunningModel(BaseModel):
    """What runs a model."""

    name: str
    version: str
    networks: list[RunningNetwork]
    threads: int


class Ready(BaseModel):
    """Every model has answered pictures of which the right answer is known."""

    status: Literal["ready"] = "ready"
    models: list[RunningModel]
    versions: dict[str, str]
    resizing: Literal["compiled", "Pillow"] = Field(
        description="What resizes pictures: what was compiled at the install, or Pillow, slower."
    )
    record: RecordStatus
    training: TrainingStatus


def _told_of(model: Model) -> dict[str, Any]:
    card, reference = model.card, model.reference
    return {
        "name": reference.name,
        "version": reference.version,
        "source": reference.source,
        "description": card.description,
        "architecture": card.architecture,
        "labels": card.labels,
        "size": model.size,
        "networks": [RunningNetwork.of(each) for each in model.members],
        "threshold": model.threshold if math.isfinite(model.threshold) else None,
        "metrics": card.metrics,
    }
