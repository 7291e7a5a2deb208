"""``POST /models/{name}/load``: another model, without a request lost."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from pawsight.inference.catalog import NAME
from pawsight.inference.errors import ModelError, UnknownModel
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes.dependencies import Service, check_admin
from pawsight.serving.routes.schemas import ModelSummary

router = APIRouter(tags=["models"])

log = logging.getLogger(__name__)


@router.post(
    "/models/{name}/load",
    summary="Load a model and switch to it",
    responses=responses(
        "unauthorized",
        "too-many-requests",
        "forbidden",
        "unknown-model",
        "broken-model",
        "invalid-request",
    ),
)
async def load(
    request: Request,
    service: Service,
    name: Annotated[str, Path(description="What the model is to be asked for by.")],
    folder: Annotated[
        str | None,
        Query(description="The model's folder in PAWSIGHT_MODELS_DIR; by default the name."),
    ] = None,
) -> ModelSummary:
    """For holders of an `admin` key: load a model folder of PAWSIGHT_MODELS_DIR under a name.

    It is verified as at the start, digests and golden pictures, while the old one goes on
    answering; requests that were taken before the switch are still answered by the old one. A
    folder that does not prove itself changes nothing.
    """
    home = service.settings.models_dir
    if not service.settings.keys or home is None:
        raise Refusal(
            "forbidden",
            "no model can be loaded while this service runs: PAWSIGHT_MODELS_DIR, and a key that "
            "is `admin`, would allow it",
        )
    check_admin(request, "load models")
    chosen = folder or name
    for each in (name, chosen):
        if not NAME.fullmatch(each):
            raise Refusal(
                "unknown-model",
                f"{quoted(each)} is no name: lower-case letters, digits and . _ -, 64 at most",
            )
    try:
        model = await service.models.put(name, home / chosen)
    except UnknownModel as error:
        raise Refusal(
            "unknown-model", f"no model folder {chosen!r} where models may be loaded from"
        ) from error
    except ModelError as error:
        raise Refusal("broken-model", str(error)) from error
    log.info("%s loaded %s from the folder %s", request.state.key.name, model.reference, chosen)
    return ModelSummary.of(model)
