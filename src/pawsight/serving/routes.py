"""The service's addresses."""

from __future__ import annotations

import platform
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from pawsight.serving.batches import Batch
from pawsight.serving.bodies import open_pictures
from pawsight.serving.connections import unless_gone
from pawsight.serving.dependencies import (
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
from pawsight.serving.direct import DirectRoute
from pawsight.serving.errors import Refusal, responses
from pawsight.serving.record_status import RecordStatus
from pawsight.serving.schemas import (
    Answer,
    BatchAnswer,
    Live,
    ModelDetail,
    Models,
    ModelSummary,
    Ready,
    RunningModel,
    RunningNetwork,
)
from pawsight.serving.training_schemas import TrainingStatus

router = APIRouter()
direct = APIRouter(route_class=DirectRoute)

KEPT: Final = "X-Pawsight-Kept"
"""The header that says whether an answer is on the disk."""
_LINES: Final = ("application/jsonl", "application/x-ndjson")


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    """Show a browser what there is."""
    return RedirectResponse("/docs")


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
    chosen = service.model(model)
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
        service.admit()
        batch = Batch(service, chosen, files)
        accept = request.headers.get("accept", "")
        for media_type in _LINES:
            if media_type in accept:
                return StreamingResponse(batch.lines(stack.pop_all()), media_type=media_type)
        answer = await unless_gone(request, batch.answer())
        return Response(answer.model_dump_json(), media_type="application/json")


@router.get("/models", tags=["models"], summary="List the models")
async def models(service: Service) -> Models:
    """Every model that may be asked for."""
    return Models(models=[ModelSummary.of(each) for each in service.loaded.values()])


@router.get(
    "/models/{model}",
    tags=["models"],
    summary="Show a model's card",
    responses=responses(*MODEL_PROBLEMS, "invalid-request"),
)
async def model_detail(chosen: Chosen) -> ModelDetail:
    """The whole card: preprocessing, calibration, rejection, metrics and provenance."""
    return ModelDetail.of(chosen)


@router.get("/health/live", tags=["health"], summary="Is the process alive?")
async def live() -> Live:
    """Answers as long as the process does."""
    return Live()


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Can pictures be sent?",
    responses=responses("shutting-down"),
)
async def ready(service: Service) -> Ready:
    """Yes, once every model has answered its golden pictures rightly, and until it is to stop.

    Says what really runs the networks, and whether answers are recorded and models can be trained,
    without either of which it goes on.
    """
    if service.stopping:
        raise Refusal("shutting-down", "the service is being stopped; send pictures elsewhere")
    return Ready(
        models=[
            RunningModel(
                name=name,
                version=model.reference.version,
                networks=[RunningNetwork.of(each) for each in model.members],
                threads=model.threads,
            )
            for name, model in service.loaded.items()
        ],
        versions={
            "pawsight": version("pawsight"),
            "onnxruntime": version("onnxruntime"),
            "python": platform.python_version(),
        },
        record=RecordStatus.of(service.recorder),
        training=TrainingStatus.of(service.training, service.settings.training_max_bytes),
    )
