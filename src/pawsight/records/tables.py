"""The tables, as SQLAlchemy's models; :mod:`pawsight.records.migrations` makes them."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import JSON, DateTime, Dialect, Double, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UTC(TypeDecorator[datetime]):
    """A time in UTC; SQLite knows no zones, and is told none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Without its zone where the database knows none."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """With its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc)


class Base(DeclarativeBase):
    """Of all tables."""


class AnswerRow(Base):
    """An answer; see :class:`pawsight.records.record.Record`."""

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    time: Mapped[datetime] = mapped_column(UTC, index=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_by_version: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    probabilities: Mapped[dict[str, float]] = mapped_column(JSON)
    confidence: Mapped[float] = mapped_column(Double)
    score: Mapped[float] = mapped_column(Double)
    margin: Mapped[float] = mapped_column(Double)
    rejected: Mapped[bool]
    seconds: Mapped[float] = mapped_column(Double)


class FeedbackRow(Base):
    """What was last said of an answer; see :class:`pawsight.records.record.Feedback`."""

    __tablename__ = "feedback"

    id: Mapped[str] = mapped_column(ForeignKey(AnswerRow.id), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    label: Mapped[str] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UTC)
    replaced: Mapped[str | None] = mapped_column(Text)
