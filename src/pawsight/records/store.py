"""What is written to the tables and read from them, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.labels import NEITHER
from pawsight.records.record import (
    Feedback,
    Record,
    Recorded,
    UnknownRecord,
    margin,
)
from pawsight.records.tables import AnswerRow, FeedbackRow


def insert_answers(connection: Connection, records: Sequence[Record]) -> None:
    """Write answers; those that are there already (their commit was not heard of) stay."""
    rows = [
        {
            "id": each.id,
            "time": each.time,
            "digest": each.digest,
            "model": each.prediction.model.name,
            "version": each.prediction.model.version,
            "source": each.prediction.model.source,
            "decided_by": each.prediction.decided_by.name,
            "decided_by_version": each.prediction.decided_by.version,
            "label": each.prediction.label,
            "probabilities": each.prediction.probabilities,
            "confidence": each.prediction.confidence,
            "score": each.prediction.score,
            "margin": margin(each.prediction.probabilities, each.prediction.score, each.threshold),
            "rejected": each.prediction.rejected,
            "seconds": each.seconds,
        }
        for each in records
    ]
    connection.execute(insert_into(connection, AnswerRow).on_conflict_do_nothing(), rows)


def has_answer(connection: Connection, id_: str) -> bool:
    """Whether there is an answer of an id."""
    return connection.scalar(select(AnswerRow.id).where(AnswerRow.id == id_)) is not None


def read_answer(connection: Connection, id_: str) -> Recorded:
    """The answer of an id, with what was said of it.

    Raises:
        UnknownRecord: There is none.
    """
    if "\0" in id_:  # which PostgreSQL does not even take for a question
        raise UnknownRecord(id_)
    row = connection.execute(_with_feedback().where(AnswerRow.id == id_)).one_or_none()
    if row is None:
        raise UnknownRecord(id_)
    return _recorded(row)


def remove_old(
    connection: Connection, *, before: datetime | None, most: int | None, limit: int
) -> tuple[int, list[str]]:
    """Delete answers that nothing was said of, the oldest first.

    Args:
        connection: In a transaction that may write.
        before: Those that were given earlier; None for none of them.
        most: All but so many of the latest; None for none of them.
        limit: No more than this at once.

    Returns:
        How many were deleted, and the digests of pictures of which no answer is left.
    """
    plain = select(AnswerRow.id, AnswerRow.digest).where(
        ~select(FeedbackRow.id).where(FeedbackRow.id == AnswerRow.id).exists()
    )
    oldest = plain.order_by(AnswerRow.time, AnswerRow.id.desc())
    rows: Sequence[Any] = []
    if before is not None:
        rows = connection.execute(oldest.where(AnswerRow.time < before).limit(limit)).all()
    if most is not None and len(rows) < limit:
        # Counting reads an index; going past the latest ones would look up feedback for each.
        excess = min(count(connection) - _count_said(connection) - most, limit)
        if excess > len(rows):  # those that are too old are the first of them
            rows = connection.execute(oldest.limit(excess)).all()
    ids, digests = {row.id for row in rows}, {row.digest for row in rows}
    if not ids:
        return 0, []
    connection.execute(delete(AnswerRow).where(AnswerRow.id.in_(ids)))
    left = select(AnswerRow.digest).where(AnswerRow.digest.in_(digests)).distinct()
    return len(ids), sorted(digests - set(connection.scalars(left)))


def everything_said(connection: Connection) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """What was said, in that order: a picture's digest, the label, and of whose answer.

    Of the model these are the name and the classes, without ``neither``.
    """
    rows = select(FeedbackRow.digest, FeedbackRow.label, AnswerRow.model, AnswerRow.probabilities)
    in_order = rows.join_from(FeedbackRow, AnswerRow).order_by(FeedbackRow.time, FeedbackRow.id)
    for digest, label, model, probabilities in connection.execute(in_order):
        yield digest, label, model, frozenset(probabilities) - {NEITHER}


def count(connection: Connection) -> int:
    """How many answers are recorded."""
    return connection.scalar(select(func.count()).select_from(AnswerRow)) or 0


def _count_said(connection: Connection) -> int:
    """Of how many something was said."""
    return connection.scalar(select(func.count()).select_from(FeedbackRow)) or 0


def recorded_of(connection: Connection, which: ColumnElement[bool]) -> list[Recorded]:
    """The answers of which a condition holds, the latest first."""
    rows = _with_feedback().where(which)
    return [
        _recorded(row)
        for row in connection.execute(rows.order_by(AnswerRow.time.desc(), AnswerRow.id))
    ]


def decided(connection: Connection, limit: int, digest: str | None = None) -> list[Recorded]:
    """The answers of which something was said, or those about a picture, the last said first."""
    rows = _with_feedback().where(FeedbackRow.label.is_not(None))
    if digest is not None:
        rows = rows.where(FeedbackRow.digest == digest)
    latest = rows.order_by(FeedbackRow.time.desc(), AnswerRow.id).limit(limit)
    return [_recorded(row) for row in connection.execute(latest)]


def _with_feedback() -> Any:  # noqa: ANN401 - a Select of twenty columns
    said = FeedbackRow
    return select(
        AnswerRow.__table__,
        said.label.label("said"),
        said.comment,
        said.time.label("said_at"),
        said.replaced,
    ).join_from(AnswerRow, said, said.id == AnswerRow.id, isouter=True)


def _recorded(row: Row[Any]) -> Recorded:
    feedback = None
    if row.said is not None:
        feedback = Feedback(row.id, row.digest, row.said, row.comment, row.said_at, row.replaced)
    prediction = Prediction(
        label=row.label,
        confidence=row.confidence,
        probabilities=row.probabilities,
        score=row.score,
        model=ModelReference(row.model, row.version, row.source),
        decided_by=ModelReference(row.decided_by, row.decided_by_version, row.source),
    )
    return Recorded(row.id, row.time, row.digest, prediction, row.margin, row.seconds, feedback)


def insert_into(connection: Connection, table: type) -> Any:  # noqa: ANN401 - of either dialect
    """An insert that can say what to do with a row that is there already."""
    kinds: dict[str, type[Insert]] = {"sqlite": sqlite.Insert, "postgresql": postgresql.Insert}
    return kinds[connection.dialect.name](table)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)
