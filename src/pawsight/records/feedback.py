"""What people say of answers, written within the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from pawsight.records.errors import Unavailable, words_of
from pawsight.records.pictures import Pictures
from pawsight.records.record import Feedback, OtherPicture, Said, UnknownLabel, may_be_said
from pawsight.records.store import insert_into, now, read_answer
from pawsight.records.tables import FeedbackRow


def say(connection: Connection, said: Said, picture: bytes | None, pictures: Pictures) -> Feedback:
    """Write what is said of an answer; the same again changes nothing, another label replaces.

    The time and what was replaced stay those of the first time that this was said.

    Args:
        connection: In a transaction that may write.
        said: What is said.
        picture: The bytes that it came with; kept, if they are those that were answered.
        pictures: Where to.

    Raises:
        UnknownRecord: There is no such answer.
        UnknownLabel: Its model knows no such class.
        OtherPicture: The picture is not the one that was answered.
        Unavailable: It cannot be kept.
    """
    answer = read_answer(connection, said.id)
    labels = may_be_said(answer.prediction.probabilities)
    if said.label not in labels:
        raise UnknownLabel(labels)
    if said.digest not in (None, answer.digest):
        raise OtherPicture(said.id)
    if picture is not None:
        try:
            pictures.keep(answer.digest, picture)
        except OSError as error:
            raise Unavailable(f"the picture cannot be kept: {words_of(error)}") from error
    before = answer.feedback
    if before and (before.label, before.comment) == (said.label, said.comment):
        return before
    replaced = None
    if before:
        replaced = before.replaced if before.label == said.label else before.label
    time = now()
    values = {"label": said.label, "comment": said.comment, "time": time, "replaced": replaced}
    insert = insert_into(connection, FeedbackRow).values(id=said.id, digest=answer.digest, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    return Feedback(said.id, answer.digest, said.label, said.comment, time, replaced)
