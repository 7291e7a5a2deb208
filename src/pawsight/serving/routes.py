"""The service's addresses."""

from __future__ import annotations

import platform
from importlib.metadata import version

from anyio import create_task_group
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from pawsight.images.errors import ImageError
from pawsight.serving.bodies import open_pictures, read_picture
from pawsight.serving.dependencies import (
    BODY_PROBLEMS,
    MANY_PICTURES,
    MODEL_PROBLEMS,
    ONE_PICTURE,
    PICTURE_PROBLEMS,
    Chosen,
    Service,
)
from pawsight.serving.errors import problem_of, responses
from pawsight.serving.schemas import (
    Answer,
    BatchAnswer,
    BatchRecord,
    Live,
    ModelDetail,
    Models,
    ModelSummary,
    Ready,
    RunningModel,
    RunningNetwork,
)

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    """Show a browser what there is."""
    return RedirectResponse("/docs")


@router.post(
    "/predict/{model}",
    tags=["predict"],
    summary="Classify one picture",
    openapi_extra=ONE_PICTURE,
    responses=responses(*MODEL_PROBLEMS, *BODY_PROBLEMS, *PICTURE_PROBLEMS),
)
async def predict(request: Request, chosen: Chosen, service: Service) -> Answer:
    """Send the picture in a form's field `file`, or alone as the body.

        curl -F file=@photo.jpg http://127.0.0.1:8000/predict/auto
        curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg http://127.0.0.1:8000/predict/auto

    What a picture is, its bytes say: its name and its content type are not looked at.
    """
    data = await read_picture(request, service.settings.max_bytes)
    return Answer.of(await service.classify(chosen, data))


@router.post(
    "/predict/{model}/batch",
    tags=["predict"],
    summary="Classify many pictures",
    openapi_extra=MANY_PICTURES,
    responses=responses(*MODEL_PROBLEMS, *BODY_PROBLEMS),
)
async def predict_batch(request: Request, chosen: Chosen, service: Service) -> BatchAnswer:
    """Send each picture in a field `files` of one form.

        curl -F files=@a.jpg -F files=@b.jpg http://127.0.0.1:8000/predict/auto/batch

    A picture that cannot be used has a `problem` in its record; the others are answered.
    """
    settings = service.settings
    async with open_pictures(request, settings.max_files, settings.max_batch_bytes) as files:
        records = [BatchRecord(file=(file.filename or "")[:255]) for file in files]

        async def answer(file: UploadFile, record: BatchRecord) -> None:
            try:
                data = await file.read(settings.max_bytes + 1)
                record.prediction = Answer.of(await service.classify(chosen, data))
            except ImageError as error:
                record.problem = problem_of(error)

        async with create_task_group() as group:
            for file, record in zip(files, records, strict=True):
                group.start_soon(answer, file, record)
    return BatchAnswer(records=records)


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


@router.get("/health/ready", tags=["health"], summary="Can pictures be sent?")
async def ready(service: Service) -> Ready:
    """Yes, once every model has answered its golden pictures rightly.

    Says what really runs the networks.
    """
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
    )
