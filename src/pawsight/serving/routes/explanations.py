"""``POST /explain/{model}`` and ``POST /compare``: why, and what the other models say."""

from __future__ import annotations

import io
from time import perf_counter
from typing import Annotated, Final
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from PIL import Image
from pydantic import BaseModel, Field

from pawsight.images.decode import Limits, decode
from pawsight.inference.explain import Explanation, explain
from pawsight.inference.model import Model
from pawsight.labels import NEITHER
from pawsight.serving.connections import unless_gone
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes.dependencies import (
    BODY_PROBLEMS,
    MODEL_PROBLEMS,
    ONE_PICTURE,
    PICTURE_PROBLEMS,
    Chosen,
    Service,
    sent_picture,
)
from pawsight.serving.routes.schemas import Answer

router = APIRouter(tags=["predict"])

HEADERS: Final = tuple(
    f"X-Pawsight-{name}"
    for name in ("Label", "Confidence", "Model", "Decided-By", "Explained", "Method")
)
LONGEST_SIDE: Final = 1024
"""Of an overlay in pixels; a larger picture is made smaller first."""


class ComparedAnswer(BaseModel):
    """What one of the models says."""

    prediction: Answer
    milliseconds: float = Field(description="From asking this model until its answer.")


class Comparison(BaseModel):
    """What each model says about the same picture, in the order of `GET /models`."""

    answers: list[ComparedAnswer]


@router.post(
    "/explain/{model}",
    summary="Show why",
    openapi_extra=ONE_PICTURE,
    response_class=Response,
    responses={
        200: {
            "description": "The picture, coloured: red spoke for the class, blue against it.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
        **responses(
            *MODEL_PROBLEMS, *BODY_PROBLEMS, *PICTURE_PROBLEMS, "unknown-label", "invalid-request"
        ),
    },
)
async def explained(
    request: Request,
    chosen: Chosen,
    service: Service,
    label: Annotated[
        str | None, Query(description="The class to explain; by default the most probable one.")
    ] = None,
) -> Response:
    """Colours the picture by what its places said: red for the class, blue against it.

    The network was not shown a margin that has no colour.

        curl -F file=@photo.jpg http://127.0.0.1:8000/explain/auto -o why.png

    The headers `X-Pawsight-…` say the decided `Label`, its `Confidence`, the `Model` that was
    asked and the one that `Decided-By`, the class that is `Explained`, and the `Method`. What in
    them is not ASCII is percent-encoded.
    """
    if label is not None and label not in chosen.card.labels:
        there = ", ".join(chosen.card.labels)
        none = ", which is said where no class is seen" if label == NEITHER else ""
        raise Refusal("unknown-label", f"no class {quoted(label)}{none}; this model has {there}")
    data = await sent_picture(request, service)
    explanation, png = await unless_gone(
        request, service.run(lambda: _overlaid(chosen, data, label, service.limits))
    )
    answer = explanation.prediction
    said = (
        answer.label,
        f"{answer.confidence:.6f}",
        str(answer.model),
        str(answer.decided_by),
        explanation.label,
        explanation.method,
    )
    values = (quote(value, safe=" @") for value in said)
    headers = dict(zip(HEADERS, values, strict=True))
    return Response(png, media_type="image/png", headers=headers)


@router.post(
    "/compare",
    summary="Ask every model",
    openapi_extra=ONE_PICTURE,
    responses=responses(*BODY_PROBLEMS, *PICTURE_PROBLEMS),
)
async def compare(request: Request, service: Service) -> Comparison:
    """Asks every model about one picture, one after another, and says how long each took.

    curl -F file=@photo.jpg http://127.0.0.1:8000/compare
    """
    data = await sent_picture(request, service)
    digest = service.digest(data)
    answers = []
    for model in list(service.models.loaded.values()):
        start = perf_counter()
        answered = await unless_gone(request, service.compute(model, data, digest))
        took = 1000 * (perf_counter() - start)
        answers.append(
            ComparedAnswer(
                prediction=Answer.of(answered.prediction, answered.id),
                milliseconds=round(took, 3),
            )
        )
    return Comparison(answers=answers)


def _overlaid(
    model: Model, data: bytes, label: str | None, limits: Limits
) -> tuple[Explanation, bytes]:
    """The explanation, and the picture coloured by it as a PNG."""
    explanation = explain(model, data, label, limits)
    pixels = decode(data, limits=limits, at_least=(LONGEST_SIDE // 2, LONGEST_SIDE // 2))
    picture = Image.fromarray(pixels)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    file = io.BytesIO()
    Image.fromarray(explanation.overlay(np.asarray(picture))).save(file, "PNG", compress_level=1)
    return explanation, file.getvalue()
