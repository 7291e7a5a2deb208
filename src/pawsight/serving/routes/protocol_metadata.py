"""What is told under ``/v2`` of the service and of its models' tensors (Open Inference Protocol).

KServe V2, as ``tritonclient`` and KServe ask it:
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from pawsight.inference.model import Model
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes.dependencies import MODEL_PROBLEMS, Chosen, Service
from pawsight.serving.routes.protocol_tensors import OF_CLASSES, OUTPUTS

router = APIRouter(prefix="/v2", tags=["clients of others"])

PICTURES: Final = "image"
"""The input of encoded pictures."""
PIXELS: Final = "pixel_values"
"""The input of preprocessed pictures."""


class ServerLive(BaseModel):
    """The process answers."""

    live: bool = True


class ServerReady(BaseModel):
    """Every model answers."""

    ready: bool = True


class ModelReady(BaseModel):
    """This model answers."""

    name: str
    ready: bool = True


class ServerMetadata(BaseModel):
    """What serves."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """A tensor; -1 stands for any number."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


@router.get("/health/live", summary="Is the process alive?")
async def live() -> ServerLive:
    """Answers as long as the process does."""
    return ServerLive()


@router.get("/health/ready", summary="Can pictures be sent?", responses=responses("shutting-down"))
async def ready(service: Service) -> ServerReady:
    """Yes, once every model has answered its golden pictures rightly, until it is to stop."""
    if service.stopping:
        raise Refusal("shutting-down", "the service is being stopped")
    return ServerReady()


@router.get("", summary="What serves")
async def server() -> ServerMetadata:
    """Name, version and extensions of the server."""
    return ServerMetadata(
        name="pawsight",
        version=version("pawsight"),
        extensions=["binary_tensor_data", "classification"],
    )


@router.get(
    "/models/{model}",
    summary="A model's tensors",
    responses=responses(*MODEL_PROBLEMS, "invalid-request"),
)
async def metadata(chosen: Chosen) -> ModelMetadata:
    """What the model takes and gives.

    One of the inputs is sent: `image`, encoded pictures, or `pixel_values`, pictures that were
    preprocessed as the model's card says. A cascade, whose networks may take them differently,
    has the first alone.
    """
    inputs = [TensorMetadata(name=PICTURES, datatype="BYTES", shape=[-1])]
    if len(chosen.members) == 1:
        how = chosen.members[0].card.preprocessing
        shape = [-1, 3, how.height, how.width]
        inputs.append(TensorMetadata(name=PIXELS, datatype="FP32", shape=shape))
    shapes = {OF_CLASSES: [-1, len(chosen.card.labels)]}
    outputs = [
        TensorMetadata(name=name, datatype=datatype, shape=shapes.get(name, [-1]))
        for name, datatype in OUTPUTS.items()
    ]
    return ModelMetadata(
        name=chosen.reference.name,
        versions=[chosen.reference.version],
        platform="onnxruntime_onnx",
        inputs=inputs,
        outputs=outputs,
    )


@router.get("/models/{model}/versions/{version_}", include_in_schema=False)
async def metadata_of_version(chosen: Chosen, version_: str) -> ModelMetadata:
    """The same of a version, which must be the one that is served."""
    return await metadata(of_version(chosen, version_))


@router.get(
    "/models/{model}/ready",
    summary="Can it be asked?",
    responses=responses(*MODEL_PROBLEMS, "invalid-request"),
)
async def model_ready(chosen: Chosen) -> ModelReady:
    """Yes, as every model that is served."""
    return ModelReady(name=chosen.reference.name)


@router.get("/models/{model}/versions/{version_}/ready", include_in_schema=False)
async def version_ready(chosen: Chosen, version_: str) -> ModelReady:
    """The same of a version, which must be the one that is served."""
    return await model_ready(of_version(chosen, version_))


def of_version(model: Model, asked: str) -> Model:
    """The same model, if it has the version that is asked for.

    Raises:
        Refusal: ``unknown-model``.
    """
    reference = model.reference
    if asked != reference.version:
        raise Refusal(
            "unknown-model",
            f"no version {quoted(asked)} of {reference.name!r}; served is {reference.version}",
        )
    return model
