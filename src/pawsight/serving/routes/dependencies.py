"""What routes have in common: the state, the model that is asked, and how bodies are documented."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from fastapi import Depends, Path, Request

from pawsight.inference.model import Model
from pawsight.serving.bodies import FILE_FIELD, FILES_FIELD, read_picture
from pawsight.serving.errors import Refusal
from pawsight.serving.keys import Key
from pawsight.serving.state import State

# `format` is what older tools go by, `contentMediaType` what OpenAPI 3.1 says.
BINARY: Final = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}
"""The bytes of a file, in the OpenAPI document."""


COMPONENT: Final = "#/components/schemas/{model}"
"""Where the schema of a body looks for what it refers to (`serving.app` puts it there)."""


def _form_schema(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "object", "required": [field], "properties": {field: schema}}}


ONE_PICTURE: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _form_schema(FILE_FIELD, BINARY),
            "image/*": {"schema": BINARY},
            "application/octet-stream": {"schema": BINARY},
        },
    }
}
MANY_PICTURES: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _form_schema(
                FILES_FIELD, {"type": "array", "minItems": 1, "items": BINARY}
            )
        },
    }
}
MODEL_PROBLEMS: Final = ("unknown-model",)
BODY_PROBLEMS: Final = (
    "overloaded",
    "too-slow",
    "invalid-multipart",
    "missing-file",
    "too-large",
    "too-many-files",
    "unsupported-content-type",
)
PICTURE_PROBLEMS: Final = (
    "not-an-image",
    "unsupported-format",
    "truncated",
    "damaged",
    "too-small",
)


def state_of(request: Request) -> State:
    """What the service holds."""
    return cast(State, request.app.state.service)


async def _state(request: Request) -> State:
    return state_of(request)


Service = Annotated[State, Depends(_state)]
ModelName = Annotated[str, Path(description="One of those that `GET /models` lists.")]


async def _model(model: ModelName, service: Service) -> Model:
    return service.models.find(model)


Chosen = Annotated[Model, Depends(_model)]


def check_admin(request: Request, what: str) -> None:
    """Let nobody do something but, where there are keys, holders of one that is ``admin``.

    Args:
        request: Of whoever asks.
        what: They may not, in words.

    Raises:
        Refusal: ``forbidden``.
    """
    key: Key | None = getattr(request.state, "key", None)
    if key is not None and not key.admin:
        raise Refusal("forbidden", f"the key {key.name!r} may not {what}: it is not `admin`")


async def sent_picture(request: Request, service: State) -> bytes:
    """The one picture of a request, where there is room for it.

    Raises:
        Refusal: There is no picture, no room, or the body is not as it should be.
    """
    service.admit()
    settings = service.settings
    data = await read_picture(request, settings.max_bytes, settings.body_seconds)
    service.let_in()
    return data
