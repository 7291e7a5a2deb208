"""Trainings by way of the service, as a client has them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pawsight.client.forms import Form


class LeftOutFile(Form):
    """A file or row that is not trained on."""

    path: str
    reason: str


class Dataset(Form):
    """Pictures that were sent to be trained on.

    Attributes:
        id: What a training names them by.
        pictures: How many can be used.
        labels: How many of each label.
        problems: The first of those that cannot.
        problem_count: How many cannot.
        usable: Whether it can be trained on.
        why_not: Why it cannot be.
    """

    id: str
    pictures: int
    labels: dict[str, int]
    problems: list[LeftOutFile] = Field(default_factory=list)
    problem_count: int = 0
    usable: bool
    why_not: str | None = None


class Epoch(Form):
    """What one epoch of a training reached; accuracies in [0, 1]."""

    epoch: int
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None


class Trained(Form):
    """The model that a training ended with; its accuracy on held-out pictures, in [0, 1]."""

    model: str
    version: str = ""
    accuracy: float | None = None
    pictures: int = 0
    validation_accuracy: float | None = None


class Job(Form):
    """A training.

    Attributes:
        id: Its own.
        name: Of the model to be.
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        method: A new ``head``, or a ``full`` training.
        start: What a head is put on.
        created: When it was asked for, in UTC.
        started: When it began.
        ended: When it ended.
        epoch: How many epochs are done, of a full training.
        epochs: How many there will be.
        curves: What each epoch reached.
        message: The last that it said, or why it ended.
        result: The model that it ended with.
    """

    id: str
    name: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    method: str = "head"
    start: str | None = None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    epoch: int | None = None
    epochs: int | None = None
    curves: list[Epoch] = Field(default_factory=list)
    message: str = ""
    result: Trained | None = None

    @property
    def is_open(self) -> bool:
        """Whether something can still become of it."""
        return self.state in ("queued", "running")


class Jobs(Form):
    """Trainings, the newest first."""

    jobs: list[Job]
