"""A training that was asked for, as it stands on the disk."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pawsight.jobs.documents import Document, read, read_all

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
Method: TypeAlias = Literal["head", "full"]

OPEN: Final[frozenset[State]] = frozenset({"queued", "running"})
"""The states that something can still become of."""

_DOCUMENT: Final = "job.json"


class Epoch(Document):
    """What one epoch of a training reached.

    Attributes:
        epoch: Counted from 1.
        train_loss: The mean of its steps that were logged.
        train_accuracy: In [0, 1], on training pictures as they were augmented.
        val_loss: On the validation split.
        val_accuracy: Likewise, in [0, 1].
    """

    epoch: int
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None


class Result(Document):
    """The model that a training ended with.

    Attributes:
        model: What it is asked for by.
        version: Of its weights.
        accuracy: In [0, 1], on the test split of its table; None where no class is in it.
        pictures: How many the test split has.
        validation_accuracy: On the validation split.
    """

    model: str
    version: str
    accuracy: float | None
    pictures: int
    validation_accuracy: float | None


class Job(Document):
    """A training.

    Attributes:
        id: Its folder's name.
        dataset: The id of its pictures.
        name: What its model will be asked for by.
        method: A new ``head`` on a network's features, or a ``full`` training from random weights.
        start: What a head is put on, by name.
        start_folder: Likewise, by folder.
        epochs: Of a full training.
        created: When it was asked for, in UTC.
        state: How it stands.
        started: When it began.
        ended: When it ended.
        attempts: How often it has begun since it last got further, but for those beginnings that
            the service itself ended in order.
        checkpoint: Of a full training: when that was written which it went on from last, as its
            file's time in seconds.
        curves: What its epochs reached, once it has ended.
        message: What there is to say of it, in words.
        result: What it ended with.
        removed: Whether it is listed no more; one with a result is kept, to know what was trained.
    """

    id: str
    dataset: str
    name: str
    method: Method
    start: str | None = None
    start_folder: str | None = None
    epochs: int | None = None
    created: datetime
    state: State = "queued"
    started: datetime | None = None
    ended: datetime | None = None
    attempts: int = 0
    checkpoint: float | None = None
    curves: tuple[Epoch, ...] = ()
    message: str = ""
    result: Result | None = None
    removed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something can still become of it."""
        return self.state in OPEN


class TooMany(Exception):
    """As many trainings wait as may."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


def read_job(folder: Path) -> Job | None:
    """The job of a folder, if there is one."""
    return read(folder / _DOCUMENT, Job)


def write_job(folder: Path, job: Job) -> None:
    """Keep how a job stands.

    Raises:
        OSError: It cannot be written.
    """
    job.write(folder / _DOCUMENT)


def read_jobs(home: Path) -> list[Job]:
    """All jobs whose folders are in a folder, the newest first."""
    return sorted(read_all(home, _DOCUMENT, Job), key=lambda job: job.created, reverse=True)
