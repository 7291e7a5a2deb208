"""Pictures in, tensors out by the Open Inference Protocol (KServe V2), as ``tritonclient`` asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from anyio import CapacityLimiter, create_task_group, to_thread
from fastapi import APIRouter, Request, Response

from pawsight.images.errors import ImageError
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.serving.batching import BATCH
from pawsight.serving.bodies import bounded
from pawsight.serving.connections import unless_gone
from pawsight.serving.errors import Refusal, problem_of, quoted, responses
from pawsight.serving.routes.dependencies import (
    COMPONENT,
    MODEL_PROBLEMS,
    PICTURE_PROBLEMS,
    Chosen,
    Service,
)
from pawsight.serving.routes.protocol_metadata import PICTURES, PIXELS, of_version
from pawsight.serving.routes.protocol_tensors import (
    HEADER_LENGTH,
    OF_CLASSES,
    OUTPUTS,
    InferRequest,
    Output,
    Sent,
    Wish,
    invalid,
    unpack,
    wishes_of,
)
from pawsight.serving.state import State

router = APIRouter(prefix="/v2", tags=["clients of others"])

_INFER_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": InferRequest.model_json_schema(ref_template=COMPONENT)},
            "application/octet-stream": {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "The JSON, as long as Inference-Header-Content-Length says, "
                    "and the binary tensors.",
                }
            },
        },
    }
}


@router.post(
    "/models/{model}/infer",
    summary="Classify pictures (Open Inference Protocol)",
    openapi_extra=_INFER_BODY,
    response_class=Response,
    responses={
        200: {
            "description": "Tensors, as JSON or binary, as they were asked for.",
            "content": {"application/json": {}, "application/octet-stream": {}},
        },
        **responses(
            *MODEL_PROBLEMS,
            *PICTURE_PROBLEMS,
            "overloaded",
            "too-slow",
            "too-large",
            "too-many-files",
            "unsupported-content-type",
            "invalid-request",
        ),
    },
)
async def infer(request: Request, chosen: Chosen, service: Service) -> Response:
    """Takes `image` (BYTES [N]) or `pixel_values` (FP32 [N, 3, H, W]), and answers tensors.

    The outputs are `label`, `confidence`, `probabilities` (in the order of the model's labels; with
    the parameter `classification`, the most probable of them as texts `VALUE:INDEX:LABEL`), `score`
    and `decided_by`. One picture that cannot be used refuses all of them; the words say
    which.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Refusal(
            "unsupported-content-type",
            f"the content encoding {quoted(encoding)} is not read here; send the body as it is",
        )
    settings = service.settings
    service.admit()
    limited = bounded(request, settings.max_batch_bytes, seconds=settings.body_seconds)
    body = await limited.body()
    service.let_in()
    header_length = request.headers.get(HEADER_LENGTH)
    asked, sent = await service.run(lambda: unpack(body, header_length))
    wishes = wishes_of(asked)
    if len(sent) != 1 or sent[0].tensor.name not in (PICTURES, PIXELS):
        names = ", ".join(quoted(each.tensor.name) for each in sent)
        raise invalid(f"the input must be '{PICTURES}' or '{PIXELS}', one of them, not {names}")
    [tensor] = sent
    expected = "BYTES" if tensor.tensor.name == PICTURES else "FP32"
    if tensor.tensor.datatype != expected:
        got = quoted(tensor.tensor.datatype)
        raise invalid(f"'{tensor.tensor.name}': its datatype must be {expected}, not {got}")
    if tensor.tensor.name == PICTURES:
        _check_number(tensor.tensor.elements, service)
        files = await service.run(tensor.pictures)
        predictions = await unless_gone(request, _answers(chosen, files, service))
    else:
        _check_number((tensor.tensor.shape or [0])[0], service)
        predictions = await unless_gone(
            request, service.run(lambda: _answers_about_pixels(chosen, tensor))
        )
    # Of many classes, this takes longer than others can wait.
    return await to_thread.run_sync(_response, asked.id, wishes, chosen, predictions)


@router.post("/models/{model}/versions/{version_}/infer", include_in_schema=False)
async def infer_version(
    request: Request, chosen: Chosen, version_: str, service: Service
) -> Response:
    """The same of a version, which must be the one that is served."""
    return await infer(request, of_version(chosen, version_), service)


def _check_number(number: int, service: State) -> None:
    most = service.settings.max_files
    if number > most:
        raise Refusal("too-many-files", f"too many pictures: at most {most} in a request")
    if number < 1:
        raise invalid("there is no picture in the request")


async def _answers(model: Model, files: list[bytes], service: State) -> list[Prediction]:
    found: list[Prediction | ImageError | Refusal | None] = [None] * len(files)
    ahead = CapacityLimiter(2 * BATCH)  # as of a batch: others wait in the same queue

    async def answer(number: int) -> None:
        try:
            async with ahead:
                answered = await service.classify(model, files[number])
            found[number] = answered.prediction
        except (ImageError, Refusal) as error:
            found[number] = error

    async with create_task_group() as group:
        for number in range(len(files)):
            group.start_soon(answer, number)
    for number, each in enumerate(found):
        if isinstance(each, Exception):
            problem = problem_of(each)
            headers = each.headers if isinstance(each, Refusal) else None
            raise Refusal(problem.code, f"picture {number}: {problem.detail}", headers)
    return [each for each in found if isinstance(each, Prediction)]


def _answers_about_pixels(model: Model, sent: Sent) -> list[Prediction]:
    if len(model.members) > 1:
        raise invalid(
            f"'{PIXELS}': {model.reference.name!r} asks two networks, which take pictures "
            f"differently; send '{PICTURES}', or ask one of them"
        )
    [network] = model.members
    how = network.card.preprocessing
    predictions = network.conclude(network.run(sent.pixels(how.height, how.width)).logits)
    if not all(np.isfinite(each.score) for each in predictions):
        raise invalid(f"'{PIXELS}': values so large are no preprocessed picture")
    return predictions


def _response(
    request_id: str | None, wishes: list[Wish], model: Model, predictions: list[Prediction]
) -> Response:
    described = [
        _output(wish, model.card.labels, predictions).described(binary=wish.binary)
        for wish in wishes
    ]
    said: dict[str, Any] = {
        "model_name": model.reference.name,
        "model_version": model.reference.version,
        "outputs": [each for each, _ in described],
    }
    if request_id is not None:
        said["id"] = request_id
    text = json.dumps(said).encode()
    raw = b"".join(each for _, each in described)
    if not raw:
        return Response(text, media_type="application/json")
    return Response(
        text + raw,
        media_type="application/octet-stream",
        headers={HEADER_LENGTH: str(len(text))},
    )


def _output(wish: Wish, labels: Sequence[str], predictions: list[Prediction]) -> Output:
    if wish.name == OF_CLASSES:
        rows = [[each.probabilities[label] for label in labels] for each in predictions]
        output = Output(wish.name, np.array(rows, np.float32))
        return output if wish.most is None else output.classified(labels, wish.most)
    values = [getattr(each, wish.name) for each in predictions]
    if OUTPUTS[wish.name] == "FP32":
        return Output(wish.name, np.array(values, np.float32))
    return Output(wish.name, np.array([str(each) for each in values], np.str_))
