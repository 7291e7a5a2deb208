"""What the service answers, as pydantic models that the OpenAPI document is made of."""

from __future__ import annotations

import math
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pawsight.inference.artifact import Card, Measurement
from pawsight.inference.classifier import Classifier
from pawsight.inference.network import Precision
from pawsight.inference.prediction import Prediction
from pawsight.serving.errors import Problem

_ANSWER: dict[str, JsonValue] = {
    "id": "6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a",
    "label": "cat",
    "confidence": 0.982,
    "probabilities": {"cat": 0.982, "dog": 0.018},
    "score": 7.31,
    "model": {"name": "custom", "version": "0c1d2e3f4a5b", "source": "embedded"},
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


class ModelReference(BaseModel):
    """Which model answered."""

    name: str = Field(description="What it is asked for by.")
    version: str = Field(description="The first twelve digits of its weights' SHA-256.")
    source: str = Field(description="`embedded`, `installed`, or `local` for a folder by path.")


class Answer(BaseModel):
    """The answer about one picture."""

    model_config = ConfigDict(json_schema_extra={"example": _ANSWER})

    id: str = Field(description="Of this answer; every answer has its own.")
    label: str = Field(description="One of the model's labels, or `neither`.")
    confidence: float = Field(
        description="The calibrated probability of the label, in [0, 1]; where the label is "
        "`neither`, of the class that would have been named."
    )
    probabilities: dict[str, float] = Field(
        description="Of every class, given that it is one of them; they add up to 1."
    )
    score: float = Field(
        description="How much the picture looks like any of the classes at all (log-odds); below "
        "the model's threshold the label is `neither`."
    )
    model: ModelReference

    @classmethod
    def of(cls, prediction: Prediction) -> Answer:
        """A prediction with an id."""
        return cls(id=uuid4().hex, **prediction.as_dict())


class BatchRecord(BaseModel):
    """What became of one picture of a batch: a prediction or a problem."""

    file: str = Field(description="The file's name as it was sent, cut to 255 characters.")
    prediction: Answer | None = None
    problem: Problem | None = None


class BatchAnswer(BaseModel):
    """A record for each picture, in the order in which they were sent."""

    model_config = ConfigDict(json_schema_extra={"example": {"records": _RECORDS}})

    records: list[BatchRecord]


class ModelSummary(BaseModel):
    """A model that answers."""

    name: str
    version: str = Field(description="The first twelve digits of its weights' SHA-256.")
    source: str = Field(description="`embedded`, `installed`, or `local` for a folder by path.")
    description: str
    architecture: str
    labels: list[str]
    size: int = Field(description="Of all its files in bytes.")
    precision: Precision = Field(description="The arithmetic in which its network really computes.")
    threshold: float | None = Field(
        description="Pictures that score lower are answered `neither`; null where none are."
    )
    metrics: list[Measurement]

    @classmethod
    def of(cls, classifier: Classifier) -> ModelSummary:
        """What is told of a model."""
        return cls(**_told_of(classifier))


class Models(BaseModel):
    """Every model that may be asked for."""

    models: list[ModelSummary]


class ModelDetail(ModelSummary):
    """A model that answers, with its whole card."""

    card: Card

    @classmethod
    def of(cls, classifier: Classifier) -> ModelDetail:
        """What is told of a model, and its card."""
        return cls(**_told_of(classifier), card=classifier.card)


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class RunningModel(BaseModel):
    """What runs a network."""

    name: str
    version: str
    provider: str = Field(description="ONNX Runtime's execution provider that really runs it.")
    precision: Precision = Field(description="The arithmetic in which it really computes.")
    threads: int


class Ready(BaseModel):
    """Every model has answered pictures of which the right answer is known."""

    status: Literal["ready"] = "ready"
    models: list[RunningModel]
    versions: dict[str, str]


def _told_of(classifier: Classifier) -> dict[str, Any]:
    card, reference = classifier.card, classifier.reference
    return {
        "name": reference.name,
        "version": reference.version,
        "source": reference.source,
        "description": card.description,
        "architecture": card.architecture,
        "labels": card.labels,
        "size": classifier.folder.size,
        "precision": classifier.precision,
        "threshold": classifier.threshold if math.isfinite(classifier.threshold) else None,
        "metrics": card.metrics,
    }
