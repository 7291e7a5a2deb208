"""What people should look at first: the pictures whose right answer would teach most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, tuple_

from pawsight.labels import NEITHER
from pawsight.records.record import Recorded, ToReview
from pawsight.records.store import recorded_of
from pawsight.records.tables import AnswerRow, FeedbackRow

Version: TypeAlias = "tuple[str, str]"
"""A model's name and version."""


def to_review(
    connection: Connection, limit: int, classes: Collection[str] | None = None
) -> list[ToReview]:
    """The pictures to look at, each once, however often it was sent.

    Those about which models, or versions of a model, disagree come first (query by committee,
    Seung et al. 1992), then those of the smallest margin. Only models that know the same labels can
    disagree: one that tells wolves from lions says nothing about what tells cats from dogs.

    Args:
        connection: In a transaction.
        limit: The most pictures.
        classes: Only the answers of models that tell exactly these apart; None: all answers.
    """
    models = models_by_classes(connection)
    asked = models.keys() if classes is None else models.keys() & {frozenset(classes)}
    if not asked:
        return []
    kind = _kind([models[known] for known in asked])
    alike = (
        select(
            AnswerRow.digest,
            func.min(AnswerRow.margin).label("margin"),
            func.count(AnswerRow.label.distinct()).label("labels"),
        )
        .where(AnswerRow.digest.not_in(select(FeedbackRow.digest)), kind > 0)
        .group_by(AnswerRow.digest, kind)
        .subquery()
    )
    digests = (
        select(alike.c.digest)
        .group_by(alike.c.digest)
        .order_by(
            (func.max(alike.c.labels) > 1).desc(), func.min(alike.c.margin), alike.c.digest
        )
        .limit(limit)
    )  # fmt: skip
    order = list(connection.scalars(digests))
    latest: dict[str, list[Recorded]] = {digest: [] for digest in order}
    for each in recorded_of(connection, and_(_is_latest(order), kind > 0)):
        latest[each.digest].append(each)
    found = []
    for digest in order:
        answers = sorted(latest[digest], key=lambda each: each.margin)
        found.append(ToReview(answers, _disagree(answers)))
    return found


def models_by_classes(connection: Connection) -> dict[frozenset[str], list[Version]]:
    """Those that have answered, by what they tell apart, without ``neither``; by name."""
    one = select(func.min(AnswerRow.id)).group_by(AnswerRow.model, AnswerRow.version)
    rows = (
        select(AnswerRow.model, AnswerRow.version, AnswerRow.probabilities)
        .where(AnswerRow.id.in_(one))
        .order_by(AnswerRow.model, AnswerRow.version)
    )
    alike: dict[frozenset[str], list[Version]] = defaultdict(list)
    for model, version, probabilities in connection.execute(rows):
        alike[_known(probabilities)].append((model, version))
    return alike


def _kind(alike: Collection[list[Version]]) -> ColumnElement[int]:
    """A number of the list, from 1 on, that the model of an answer is in; 0 of none of them."""
    asked = tuple_(AnswerRow.model, AnswerRow.version)
    return case(*((asked.in_(models), number) for number, models in enumerate(alike, 1)), else_=0)


def _is_latest(digests: Sequence[str]) -> ColumnElement[bool]:
    """Whether an answer is the last of its model and version about one of these pictures.

    Found by the database: a picture that watches over a service is sent to it a million times.
    """
    of_one = (AnswerRow.digest, AnswerRow.model, AnswerRow.version)
    in_order = (AnswerRow.time.desc(), AnswerRow.id)
    ranked = (
        select(
            AnswerRow.id,
            func.row_number().over(partition_by=of_one, order_by=in_order).label("rank"),
        )
        .where(AnswerRow.digest.in_(digests))
        .subquery()
    )
    return AnswerRow.id.in_(select(ranked.c.id).where(ranked.c.rank == 1))


def _disagree(answers: Sequence[Recorded]) -> bool:
    named: dict[frozenset[str], set[str]] = defaultdict(set)
    for each in answers:
        named[_known(each.prediction.probabilities)].add(each.prediction.label)
    return any(len(labels) > 1 for labels in named.values())


def _known(probabilities: dict[str, float]) -> frozenset[str]:
    return frozenset(probabilities) - {NEITHER}
