"""What people should look at first: the pictures whose right answer would teach most."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from pawsight.records.record import Recorded, ToReview
from pawsight.records.store import recorded_of
from pawsight.records.tables import AnswerRow, FeedbackRow


def to_review(connection: Connection, limit: int) -> list[ToReview]:
    """The pictures to look at, each once, however often it was sent.

    Those about which models, or versions of a model, disagree come first (query by committee,
    Seung et al. 1992), then those of the smallest margin.

    Args:
        connection: In a transaction.
        limit: The most pictures.
    """
    smallest = func.min(AnswerRow.margin)
    labels = func.count(AnswerRow.label.distinct())
    said = select(FeedbackRow.digest)
    digests = (
        select(AnswerRow.digest)
        .where(AnswerRow.digest.not_in(said))
        .group_by(AnswerRow.digest)
        .order_by((labels > 1).desc(), smallest, AnswerRow.digest)
        .limit(limit)
    )
    order = list(connection.scalars(digests))
    latest: dict[str, dict[tuple[str, str], Recorded]] = {digest: {} for digest in order}
    for each in recorded_of(connection, order):
        model = each.prediction.model
        latest[each.digest].setdefault((model.name, model.version), each)
    found = []
    for digest in order:
        answers = sorted(latest[digest].values(), key=lambda each: each.margin)
        found.append(ToReview(answers, len({each.prediction.label for each in answers}) > 1))
    return found
