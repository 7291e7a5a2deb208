"""Which models there are, and how the service is."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from pawsight.images.resample import is_compiled
from pawsight.serving.errors import Refusal, responses
from pawsight.serving.routes.dependencies import MODEL_PROBLEMS, Chosen, Service
from pawsight.serving.routes.record_status import RecordStatus
from pawsight.serving.routes.schemas import (
    Live,
    ModelDetail,
    Models,
    ModelSummary,
    Ready,
    RunningModel,
    RunningNetwork,
)
from pawsight.serving.routes.training_schemas import TrainingStatus

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    """Show a browser what there is."""
    return RedirectResponse("/docs")


@router.get("/models", tags=["models"], summary="List the models")
async def models(service: Service) -> Models:
    """Every model that may be asked for."""
    return Models(models=[ModelSummary.of(each) for each in service.models.loaded.values()])


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

    Says what really runs the networks and resizes pictures, and whether answers are recorded and
    models can be trained, without either of which it goes on.
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
            for name, model in service.models.loaded.items()
        ],
        versions={
            "pawsight": version("pawsight"),
            **_runtimes(),
            "python": platform.python_version(),
        },
        resizing="compiled" if is_compiled() else "Pillow",
        record=RecordStatus.of(service.recorder),
        training=TrainingStatus.of(service.training, service.settings.training_max_bytes),
    )


def _runtimes() -> dict[str, str]:
    """What runs networks and is installed, with its version."""
    found = {}
    for name in ("onnxruntime", "openvino"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # a GPU's ONNX Runtime is a package of another name; OpenVINO is an extra
    return found
