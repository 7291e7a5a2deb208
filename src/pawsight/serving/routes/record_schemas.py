"""What is said of answers, and what is answered about the record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pawsight.records.pictures import Pictures
from pawsight.records.record import MAX_COMMENT, Feedback, Recorded, ToReview
from pawsight.serving.routes.schemas import Answer, ModelReference


def _storable(text: str) -> str:
    """Not every database takes the character NUL."""
    if "\0" in text:
        raise ValueError("must not hold the character NUL")
    return text


class FeedbackForm(BaseModel):
    """What is said of an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"id": "6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a", "label": "dog", "comment": None}
        },
    )

    id: Annotated[str, AfterValidator(_storable)] = Field(
        max_length=64, description="Of the answer."
    )
    label: Annotated[str, AfterValidator(_storable)] = Field(
        max_length=200,
        description="What would be right: one of the model's classes, or `neither`; or `wrong`, "
        "where that is all that is known.",
    )
    comment: Annotated[str, AfterValidator(_storable), Field(max_length=MAX_COMMENT)] | None = None


class Said(BaseModel):
    """What holds now of an answer, and is on the disk."""

    id: str = Field(description="Of the answer.")
    label: str
    comment: str | None
    time: datetime = Field(description="When this was said first, in UTC.")
    replaced: str | None = Field(description="The label that was said before, if it was another.")
    picture: bool = Field(description="Whether the picture is kept.")

    @classmethod
    def of(cls, feedback: Feedback, *, picture: bool) -> Said:
        """What is told of feedback."""
        return cls(
            id=feedback.id,
            label=feedback.label,
            comment=feedback.comment,
            time=feedback.time,
            replaced=feedback.replaced,
            picture=picture,
        )


class RecordedAnswer(Answer):
    """An answer that is on the disk."""

    time: datetime = Field(description="When it was given, in UTC.")
    digest: str = Field(description="The SHA-256 of the picture's bytes.")
    milliseconds: float = Field(description="From asking the model until its answer.")
    margin: float = Field(
        description="How much likelier the likeliest of the classes and `neither` is than the next."
    )
    picture: bool = Field(description="Whether the picture is kept.")
    feedback: Said | None = Field(description="What was last said of it.")

    @classmethod
    def from_record(cls, record: Recorded, *, picture: bool) -> RecordedAnswer:
        """What is told of a record."""
        prediction = record.prediction
        return cls(
            id=record.id,
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
            score=prediction.score,
            model=ModelReference.model_validate(prediction.model, from_attributes=True),
            decided_by=ModelReference.model_validate(prediction.decided_by, from_attributes=True),
            time=record.time,
            digest=record.digest,
            milliseconds=round(1000 * record.seconds, 3),
            margin=record.margin,
            picture=picture,
            feedback=Said.of(record.feedback, picture=picture) if record.feedback else None,
        )


class ReviewItem(BaseModel):
    """A picture that nothing was said of yet."""

    answers: list[RecordedAnswer] = Field(
        description="The latest of each model; the first is the one to give feedback about."
    )
    disagree: bool = Field(
        description="Whether models that know the same labels name different ones."
    )

    @classmethod
    def of(cls, item: ToReview, pictures: Pictures) -> ReviewItem:
        """What is told of it."""
        picture = pictures.find(item.answers[0].digest) is not None  # of all: they are about one
        answers = [RecordedAnswer.from_record(each, picture=picture) for each in item.answers]
        return cls(answers=answers, disagree=item.disagree)


class ReviewQueue(BaseModel):
    """The pictures to look at, the ones that teach most first."""

    pictures: list[ReviewItem]


class Decided(BaseModel):
    """The answers of which something was said, the latest first."""

    answers: list[RecordedAnswer]
