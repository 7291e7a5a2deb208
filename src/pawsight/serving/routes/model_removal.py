"""``DELETE /models/{name}``: a model that was trained here and is not wanted."""

from __future__ import annotations

import logging

from anyio import to_thread
from fastapi import APIRouter

from pawsight.inference.errors import ModelError
from pawsight.inference.model import Model
from pawsight.serving.errors import Refusal, responses
from pawsight.serving.routes.dependencies import Chosen, Service
from pawsight.serving.routes.schemas import ModelSummary
from pawsight.serving.routes.training_access import TRAINING_PROBLEMS, Trainings, unwritable
from pawsight.serving.state import State
from pawsight.serving.training import Training

router = APIRouter(tags=["training"])

log = logging.getLogger(__name__)


@router.delete(
    "/models/{model}",
    summary="Remove a model that was trained here",
    responses=responses(*TRAINING_PROBLEMS, "unknown-model", "invalid-request"),
)
async def remove(service: Service, training: Trainings, chosen: Chosen) -> ModelSummary:
    """It answers no more, and its name is free; `pawsight models back NAME` undoes it.

    For whoever may train. Embedded models, those of PAWSIGHT_SERVE_MODELS and those that were
    pulled or switched to stay.
    """
    name = chosen.reference.name
    if why := await to_thread.run_sync(_why_not, service, training, chosen):
        raise Refusal("forbidden", f"{name} stays: {why}")
    try:
        await service.models.remove(name)
    except ModelError as error:
        raise Refusal("unknown-model", str(error)) from error
    except OSError as error:
        raise unwritable(error) from error
    log.info("%s was removed", chosen.reference)
    return ModelSummary.of(chosen)


def _why_not(service: State, training: Training, model: Model) -> str | None:
    name, version = model.reference.name, model.reference.version
    made = {(each.model, each.version) for each in training.runner.results()}
    if (name, version) not in made or model.reference.source != "installed":
        return "it was not trained here"
    if name in service.settings.serve_models:
        return "PAWSIGHT_SERVE_MODELS names it"
    if any(each.is_open and each.start == name for each in training.runner.jobs()):
        return "a training that is not done begins with it"
    return None
