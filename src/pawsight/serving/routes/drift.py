"""``GET /drift``."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from pawsight.drift.reference import FEWEST
from pawsight.inference.model import Model
from pawsight.serving.drift import Drift
from pawsight.serving.routes.dependencies import Service

router = APIRouter(tags=["models"])


class ModelDrift(BaseModel):
    """Whether a model is asked about what it was chosen on."""

    model: str
    network: str = Field(description="Whose features and logits are compared: the first's.")
    drifted: bool | None = Field(
        description="Of the last full window; null where there is none yet, or nothing to compare."
    )
    message: str = Field(description="The same in words.")
    pictures: int = Field(description="How many are in the window that is not full yet.")
    windows: int = Field(default=0, description="How many were full since the start.")
    time: datetime | None = Field(default=None, description="When the last one was, in UTC.")
    features_p: float | None = Field(
        default=None,
        description="What the network sees: how often the means of its features differ as much "
        "where nothing has changed (Hotelling's test).",
    )
    confidence_psi: float | None = Field(
        default=None,
        description="How sure it is: population stability index over ten bins; 0.1 is a small "
        "change, 0.25 a large one.",
    )
    confidence_p: float | None = Field(default=None, description="Likewise, as a probability.")
    label_psi: float | None = Field(default=None, description="What it names: likewise.")
    label_p: float | None = None
    labels: dict[str, float] | None = Field(
        default=None, description="The part of each label in the window."
    )
    expected: dict[str, float] | None = Field(
        default=None, description="The part of each label in the validation pictures."
    )


class DriftAnswer(BaseModel):
    """Whether what comes in is like what the models were chosen on."""

    window: int = Field(description="Pictures that are compared together; 0 where none are.")
    level: float = Field(
        description="The part of windows that may be called drifted where nothing has changed."
    )
    models: list[ModelDrift]


@router.get("/drift", summary="Is what comes in like what the models were chosen on?")
async def drift(service: Service) -> DriftAnswer:
    """For each model, its last full window of pictures, held against validation pictures.

    Pictures that are answered from the cache, or not by `/predict`, its batches, Hugging Face's API
    or the input `image` of the Open Inference Protocol, are not counted.
    """
    return DriftAnswer(
        window=service.drift.size,
        level=service.drift.level,
        models=[_told(service.drift, each) for each in service.models.loaded.values()],
    )


def _told(drift: Drift, model: Model) -> ModelDrift:
    monitor = drift.monitor(model)
    told = ModelDrift(
        model=model.reference.name,
        network=model.members[0].reference.name,
        drifted=None,
        message="it is not watched: PAWSIGHT_DRIFT_WINDOW is 0",
        pictures=monitor.waiting if monitor else 0,
    )
    if monitor is None:
        if drift.size:
            told.message = (
                "there is nothing to compare with: what the model saw in pictures held back from "
                f"its training is not kept with it. A training that holds back {FEWEST} or more "
                "keeps it"
            )
        return told
    if monitor.found is None:
        told.message = f"{told.pictures} of {drift.size} pictures have come; then they are compared"
        return told
    found = monitor.found.comparison
    told.drifted, told.message = found.drifted, found.words
    told.windows, told.time = monitor.found.windows, monitor.found.time
    told.features_p = found.features.p
    told.confidence_psi, told.confidence_p = found.confidences.psi, found.confidences.p
    told.label_psi, told.label_p = found.labels.psi, found.labels.p
    told.labels, told.expected = found.shares, found.expected
    return told
