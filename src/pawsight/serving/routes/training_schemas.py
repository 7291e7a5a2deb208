"""What is asked and answered about training."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from pawsight.inference.catalog import NAME
from pawsight.jobs.datasets import LeftOut
from pawsight.jobs.job import Epoch, Job, Method, Result, State

if TYPE_CHECKING:
    from pawsight.jobs.runner import Runner
    from pawsight.serving.training import Training

EPOCHS: Final = 20
"""Of the recipe simple-cnn, which only training can read."""
MAX_EPOCHS: Final = 1000
START: Final = "custom"
"""What a head is put on where nobody says."""

_ID = "6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a"


class TrainingStatus(BaseModel):
    """Whether models can be trained by way of this service."""

    status: Literal["off", "on", "unavailable"] = Field(
        description="`unavailable`: it is switched on, and cannot be done on this machine."
    )
    reason: str | None = Field(default=None, description="Why it is unavailable.")
    max_bytes: int | None = Field(
        default=None, description="The largest ZIP that is taken, in bytes, where it is on."
    )
    epochs: int | None = Field(
        default=None,
        description="How many epochs a full training has where nobody says, where it is on.",
    )
    max_epochs: int | None = Field(
        default=None, description="The most that it may have, where it is on."
    )

    @classmethod
    def of(cls, training: Training | None, max_bytes: int) -> TrainingStatus:
        """What is told of trainings; None is off."""
        if training is None:
            return cls(status="off")
        if training.missing:
            return cls(status="unavailable", reason=training.missing)
        return cls(status="on", max_bytes=max_bytes, epochs=EPOCHS, max_epochs=MAX_EPOCHS)


class DatasetAnswer(BaseModel):
    """What can be trained on of what was sent, and what cannot."""

    id: str
    pictures: int = Field(description="How many can be used.")
    labels: dict[str, int] = Field(description="How many of each label.")
    problems: list[LeftOut] = Field(description="The first 200 that cannot be used, and why.")
    problem_count: int = Field(description="How many cannot.")
    usable: bool = Field(description="Whether it can be trained on.")
    why_not: str | None = Field(description="Why it cannot be.")


class JobForm(BaseModel):
    """A training that is asked for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"dataset": _ID, "name": "my-model", "method": "head"}},
    )

    dataset: str = Field(max_length=64, description="The id of what was sent.")
    name: str = Field(
        pattern=f"^{NAME.pattern}$",
        description="What the model is to be asked for by; no model has this name yet.",
    )
    method: Method = Field(
        default="head",
        description="`head`: a new head on the features of a model, in seconds; `full`: a network "
        "from random weights, which needs thousands of pictures and takes hours.",
    )
    start: Annotated[str, Field(max_length=64)] | None = Field(
        default=None,
        description="Of a head: the model whose features it takes, one of this service's; by "
        f"default `{START}`.",
    )
    epochs: Annotated[int, Field(strict=True, ge=1, le=MAX_EPOCHS)] | None = Field(
        default=None, description=f"Of a full training; by default {EPOCHS}."
    )

    @field_validator("start")
    @classmethod
    def _is_of_a_head(cls, start: str | None, info: ValidationInfo) -> str | None:
        if start is not None and info.data.get("method") == "full":
            raise ValueError(
                'a full training begins from random weights; "method": "head" starts from a model'
            )
        return start

    @field_validator("epochs")
    @classmethod
    def _are_of_a_full_training(cls, epochs: int | None, info: ValidationInfo) -> int | None:
        if epochs is not None and info.data.get("method") == "head":
            raise ValueError('a head is fitted at once, without epochs; "method": "full" has them')
        return epochs


class JobAnswer(BaseModel):
    """A training."""

    id: str
    name: str = Field(description="What its model is asked for by once it is trained.")
    state: State
    method: Method
    start: str | None = Field(description="Of a head: the model whose features it takes.")
    dataset: str
    created: datetime = Field(description="When it was asked for, in UTC.")
    started: datetime | None
    ended: datetime | None
    epoch: int | None = Field(description="Of a full training: how many epochs are done.")
    epochs: int | None = Field(description="Of a full training: how many there will be.")
    curves: list[Epoch] = Field(description="Of a full training: what each epoch reached.")
    message: str = Field(description="The last that it said, or why it ended, in words.")
    result: Result | None = Field(description="The model that it ended with.")

    @classmethod
    def of(cls, job: Job, runner: Runner) -> JobAnswer:
        """What is told of a training; reads what it writes."""
        curves = runner.curves(job)
        reached = curves[-1].epoch if curves else 0
        told = job.model_dump(exclude={"curves", "message"})
        return cls.model_validate(
            {
                **told,
                "epoch": reached if job.method == "full" else None,
                "curves": [each.model_dump() for each in curves],
                "message": runner.words(job),
            }
        )


class Jobs(BaseModel):
    """Trainings, the newest first."""

    jobs: list[JobAnswer]
