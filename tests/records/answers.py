"""Answers to record."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.records.pictures import digest_of
from pawsight.records.record import Record
from pawsight.records.recorder import Recorder

PATIENCE = 30.0  # seconds


def record(
    picture: bytes = b"a picture",
    cat: float = 0.9,
    *,
    label: str | None = None,
    classes: tuple[str, str] = ("cat", "dog"),
    model: str = "tiny",
    version: str = "1",
    score: float = 9.0,
    days_ago: float = 0.0,
    keep: bool = False,
) -> Record:
    """An answer about a picture: the first class, cat, with some probability, else the second."""
    reference = ModelReference(model, version, "local")
    prediction = Prediction(
        label=label or classes[cat < 0.5],
        confidence=max(cat, 1 - cat),
        probabilities=dict(zip(classes, (cat, 1 - cat), strict=True)),
        score=score,
        model=reference,
        decided_by=reference,
    )
    return Record(
        id=uuid4().hex,
        time=datetime.now(timezone.utc) - timedelta(days=days_ago),
        digest=digest_of(picture),
        prediction=prediction,
        threshold=4.0,
        seconds=0.012,
        picture=picture if keep else None,
    )


def put(recorder: Recorder, *records: Record) -> None:
    """Record answers, and wait until they are on the disk."""
    for each in records:
        recorder.put(each)
    for each in records:
        assert recorder.kept(each.id).result(PATIENCE)


def settle(recorder: Recorder) -> None:
    """Wait until all that was put is on the disk."""
    assert not recorder.kept("0" * 32).result(PATIENCE)
