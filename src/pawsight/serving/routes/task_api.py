"""Hugging Face's task API for image classification, as ``huggingface_hub.InferenceClient`` asks it.

https://huggingface.co/docs/inference-providers/tasks/image-classification
"""

from __future__ import annotations

import base64
import math
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.serving.bodies import bounded, content_type, parse_json
from pawsight.serving.connections import unless_gone
from pawsight.serving.errors import Refusal, responses
from pawsight.serving.routes.dependencies import (
    BODY_PROBLEMS,
    COMPONENT,
    MODEL_PROBLEMS,
    ONE_PICTURE,
    PICTURE_PROBLEMS,
    Chosen,
    Service,
    sent_picture,
)

router = APIRouter(tags=["clients of others"])

_ENVELOPE: Final = 64 * 1024  # of the JSON around a picture


class TaskParameters(BaseModel):
    """How the answer is given."""

    top_k: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The most labels to answer; by default all."
    )
    function_to_apply: Literal["softmax"] | None = Field(
        default=None, description="Probabilities are answered, and nothing else."
    )


class TaskRequest(BaseModel):
    """A picture with parameters."""

    inputs: str = Field(
        description="The picture's file in Base64.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    parameters: TaskParameters = TaskParameters()


class LabelScore(BaseModel):
    """A label and how likely it is."""

    label: str
    score: float = Field(description="In [0, 1]; those of all labels add up to 1.")


_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            **ONE_PICTURE["requestBody"]["content"],  # type: ignore[dict-item]
            "application/json": {"schema": TaskRequest.model_json_schema(ref_template=COMPONENT)},
        },
    }
}


@router.post(
    "/models/{model}",
    summary="Classify one picture (Hugging Face's task API)",
    openapi_extra=_BODY,
    responses=responses(*MODEL_PROBLEMS, *BODY_PROBLEMS, *PICTURE_PROBLEMS, "invalid-request"),
)
async def classify(request: Request, chosen: Chosen, service: Service) -> list[LabelScore]:
    """For clients of Hugging Face's task API: a list of labels, the likeliest first.

        InferenceClient(model="http://127.0.0.1:8000/models/auto").image_classification("photo.jpg")

    A picture that is `neither` has this label first, with a score that is 0.5 where the answer
    would change, and the rest is what is left to the classes.
    """
    settings = service.settings
    parameters = TaskParameters()
    if content_type(request) == "application/json":
        limit = settings.max_bytes * 4 // 3 + _ENVELOPE
        service.admit()
        body = await bounded(request, limit, seconds=settings.body_seconds).body()
        service.let_in()
        data, parameters = await service.run(lambda: _unpacked(body))
    else:
        data = await sent_picture(request, service)
    answered = await unless_gone(request, service.classify(chosen, data))
    return scores(answered.prediction, chosen)[: parameters.top_k]


def scores(prediction: Prediction, model: Model) -> list[LabelScore]:
    """A prediction as labels with scores, by falling score."""
    rest = 1.0
    found = []
    if prediction.rejected:
        # Scores are log-odds: this is the probability of `neither` if the threshold is the odds
        # at which both are as likely.
        rest = 1 / (1 + math.exp(min(model.threshold - prediction.score, 700)))
        found.append(LabelScore(label=prediction.label, score=1 - rest))
    shares = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    return [*found, *(LabelScore(label=label, score=rest * share) for label, share in shares)]


def _unpacked(body: bytes) -> tuple[bytes, TaskParameters]:
    task = parse_json(body, TaskRequest)
    try:
        return base64.b64decode(task.inputs, validate=True), task.parameters
    except ValueError as error:
        raise Refusal("invalid-request", "'inputs': must be the picture in Base64") from error
