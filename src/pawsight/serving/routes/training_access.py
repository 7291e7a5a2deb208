"""Who may train here, and where nothing can be trained."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request

from pawsight.serving.errors import Refusal
from pawsight.serving.routes.dependencies import Service, check_admin
from pawsight.serving.training import Training

TRAINING_PROBLEMS: Final = ("training-off", "training-unavailable", "forbidden")
"""What whoever may not train is answered."""


async def _allowed(request: Request, service: Service) -> Training:
    training = service.training
    if training is None:
        raise Refusal(
            "training-off",
            "nothing is trained here: `pawsight serve --training` or PAWSIGHT_TRAINING=true "
            "switch it on",
        )
    check_admin(request, "train models")
    if training.missing:
        raise Refusal("training-unavailable", training.missing)
    return training


Trainings = Annotated[Training, Depends(_allowed)]


def unwritable(error: OSError) -> Refusal:
    """What is said where the disk takes nothing."""
    words = (error.strerror or str(error)).lower()
    return Refusal("training-unavailable", f"nothing can be written for trainings here: {words}")
