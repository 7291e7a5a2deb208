"""What is written about each picture, answered or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

from pawsight.images.errors import ImageError
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Record:
    """One picture of many.

    Attributes:
        path: As the source named it.
        prediction: The answer, or None.
        error: Why there is no answer, or None.
    """

    path: str
    prediction: Prediction | None
    error: str | None


def classify_files(model: Model, paths: Iterable[Path]) -> Iterator[Record]:
    """Classify a stream of files, in order; a file that cannot be used gets a record that says so.

    Paths are read from the stream a few batches ahead of the answers, never all at once.
    """
    named, read = tee(paths)
    for path, answer in zip(named, model.predict_each(read), strict=True):
        if isinstance(answer, Prediction):
            yield Record(str(path), answer, None)
        else:
            yield Record(str(path), None, reason(answer))


def reason(error: ImageError | OSError) -> str:
    """Why a picture has no answer, in words."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
