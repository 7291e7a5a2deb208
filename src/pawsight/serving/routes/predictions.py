"""``POST /predict/{model}`` and ``/batch``: pictures in, answers out."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from pawsight.serving.bodies import open_pictures
from pawsight.serving.connections import unless_gone
from pawsight.serving.errors import Refusal, responses
from pawsight.serving.routes.batches import Batch, joined
from pawsight.serving.routes.dependencies import (
    BODY_PROBLEMS,
    MANY_PICTURES,
    MODEL_PROBLEMS,
    ONE_PICTURE,
    PICTURE_PROBLEMS,
    Chosen,
    ModelName,
    Service,
    sent_picture,
    state_of,
)
from pawsight.serving.routes.direct import DirectRoute
from pawsight.serving.routes.schemas import Answer, BatchAnswer

router = APIRouter()
direct = APIRouter(route_class=DirectRoute)

KEPT: Final = "X-Pawsight-Kept"
"""The header that says whether an answer is on the disk."""
_LINES: Final = ("application/jsonl", "application/x-ndjson")


@direct.post(
    "/predict/{model}",
    tags=["predict"],
    summary="Classify one picture",
    openapi_extra=ONE_PICTURE,
    response_model=Answer,
    responses=responses(
        *MODEL_PROBLEMS,
        *BODY_PROBLEMS,
        *PICTURE_PROBLEMS,
        "precondition-failed",
        "invalid-request",
    ),
)
async def predict(
    request: Request,
    model: ModelName,
    keep: Annotated[
        bool,
        Query(
            description="Answer once the answer is on the disk, which the header "
            "`X-Pawsight-Kept: true` says; `false`: it is not, or not yet, recorded."
        ),
    ] = False,
) -> Response:
    """Send the picture in a form's field `file`, or alone as the body.

        curl -F file=@photo.jpg http://127.0.0.1:8000/predict/auto
        curl --data-binary @photo.jpg http://127.0.0.1:8000/predict/auto

    What a picture is, its bytes say: its name and its content type are not looked at.

    The answer's `ETag` names the picture and the model. A request that has it in `If-None-Match`
    is not answered again.
    """
    service = state_of(request)  # not injected: here it is counted in microseconds
    chosen = service.models.find(model)
    data = await sent_picture(request, service)
    digest = service.digest(data)
    tag = service.cache.tag(chosen, digest)
    if tag and tag in request.headers.get("if-none-match", ""):
        raise Refusal(
            "precondition-failed",
            "the answer that If-None-Match names is still the one",
            {"ETag": f'W/"{tag}"'},
        )
    answered = await unless_gone(request, service.classify(chosen, data, digest))
    headers = {"ETag": f'W/"{tag}"'} if tag else {}
    if keep:
        headers[KEPT] = "true" if await service.kept(answered) else "false"
    return Response(
        Answer.of(answered.prediction, answered.id).model_dump_json(),
        media_type="application/json",
        headers=headers,
    )


@router.post(
    "/predict/{model}/batch",
    tags=["predict"],
    summary="Classify many pictures",
    openapi_extra=MANY_PICTURES,
    response_model=BatchAnswer,
    responses={
        200: {"content": {_LINES[0]: {"schema": {"$ref": "#/components/schemas/BatchRecord"}}}},
        **responses(*MODEL_PROBLEMS, *BODY_PROBLEMS),
    },
)
async def predict_batch(request: Request, chosen: Chosen, service: Service) -> Response:
    """Send each picture in a field `files` of one form.

        curl -F files=@a.jpg -F files=@b.jpg http://127.0.0.1:8000/predict/auto/batch

    A picture that cannot be used has a `problem` in its record; the others are answered. To a
    request with `Accept: application/jsonl` (or `application/x-ndjson`) each record is sent as soon
    as it is known, as a line of JSON.
    """
    settings = service.settings
    service.admit()
    async with AsyncExitStack() as stack:
        files = await stack.enter_async_context(
            open_pictures(
                request, settings.max_files, settings.max_batch_bytes, settings.body_seconds
            )
        )
        service.let_in()
        batch = Batch(service, chosen, files)
        accept = request.headers.get("accept", "")
        for media_type in _LINES:
            if media_type in accept:
                lines = batch.lines(stack.pop_all())
                if request.scope["http_version"] == "1.0":  # which knows no answers in chunks
                    together = await unless_gone(request, joined(lines))
                    return Response(together, media_type=media_type)
                return StreamingResponse(lines, media_type=media_type)
        answer = await unless_gone(request, batch.answer())
        return Response(answer.model_dump_json(), media_type="application/json")
