"""What a training begins with where it is told: the weights of another training, or of a model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import torch
from torch import Tensor

from pawsight.data.pictures import load_pictures
from pawsight.images.preprocess import normalise
from pawsight.inference.artifact import RUN_FOLDER, ModelFolder
from pawsight.inference.catalog import resolve
from pawsight.inference.errors import UnknownModel
from pawsight.labels import classes_of
from pawsight.models.cnn_model import SimpleCNN
from pawsight.training.networks import Network, load_weights, random_network, starting_point
from pawsight.training.recipe import Recipe, SimpleCNNRecipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.starting_points import StartingPointError, load_exported
from pawsight.training.unfolded import Folded

log = logging.getLogger(__name__)

_MEASURED: Final = 64
"""Of so many training pictures, or fewer, norms that were folded away take their statistics."""


class Beginning(NamedTuple):
    """Weights to begin with.

    Attributes:
        network: Has them, but for those that are folded.
        labels: What it tells apart.
        origin: Where they come from, in words for a card.
        folded: Those of a SimpleCNN of which there is no training any more; None of others.
    """

    network: Network
    labels: tuple[str, ...]
    origin: str
    folded: Folded | None = None

    def for_table(self, table: pd.DataFrame, recipe: Recipe) -> Network:
        """The network for the classes of a table: of others, the classifier begins anew.

        Args:
            table: ``path``, ``label`` and ``split``.
            recipe: Of the training that begins.

        Raises:
            RunError: The classifier would begin anew, and the recipe keeps a part of it.
        """
        classes = classes_of(table["label"])
        if self.labels != classes and recipe.keep_start:
            raise RunError(
                "the recipe keeps a part of what it started from (keep_start), and the classifier "
                f"begins anew, as the table's classes are {', '.join(classes)}, not "
                f"{', '.join(self.labels)}: leave keep_start out"
            )
        if self.folded:
            self.folded.fill(_some_pictures(table, recipe))
        if self.labels != classes:
            self.network.classifier = random_network(recipe, len(classes)).classifier
            log.info("what it starts from tells %s apart: the classifier begins at random",
                     ", ".join(self.labels))  # fmt: skip
        return self.network


def find_beginning(start: str, recipe: Recipe) -> Beginning:
    """Find the weights to begin with, and see that they fit.

    Args:
        start: The folder of another training, whose best weights they are; or a model, by name or
            by the path of its folder.
        recipe: Of the training that begins.

    Raises:
        RunError: There is neither there; or the other training has no weights yet, or those of
            another architecture.
        StartingPointError: The model has another architecture, or the recipe says pool_first and
            what made the weights did not.
        ModelError: The model is broken, or a cascade.
    """
    other = RunFolder(Path(start) / RUN_FOLDER)
    if other.exists:
        weights = other.trained()
        before, table = other.read()
        labels = classes_of(table["label"])
        network = random_network(recipe, len(labels))
        load_weights(network, weights)
        if not getattr(before.network, "pool_first", False):
            _refuse_pool_first(recipe, start)
        return Beginning(
            network, labels, f"recipe {before.name}: {starting_point(before, other.origin)}"
        )
    try:
        return _of_model(resolve(start).open(), recipe)
    except UnknownModel as error:
        raise RunError(
            f"nothing to start from in {start!r}: it holds no training in {RUN_FOLDER!r}, and "
            "is no model"
        ) from error


def _of_model(model: ModelFolder, recipe: Recipe) -> Beginning:
    card = model.card
    network = random_network(recipe, len(card.labels))
    folded = None
    try:
        if isinstance(network, SimpleCNN):
            folded = Folded.of(network, model.network)
        else:
            load_exported(network, model.network)
    except StartingPointError as error:
        where = (
            "the [network] of its recipe is in its model.json"
            if "network" in card.provenance.recipe
            else f"it is {card.architecture}"
        )
        raise StartingPointError(f"{error}; {where}") from error
    _refuse_pool_first(recipe, card.name)
    origin = f"{card.name} {model.version} ({card.provenance.started_from})"
    return Beginning(network, card.labels, origin, folded)


def _refuse_pool_first(recipe: Recipe, start: str) -> None:
    if isinstance(recipe.network, SimpleCNNRecipe) and recipe.network.pool_first:
        raise StartingPointError(
            f"recipe {recipe.name!r} says pool_first: such norms have no scale, and cannot do what "
            f"those of {start!r} did; leave pool_first out of a copy of the recipe"
        )


def _some_pictures(table: pd.DataFrame, recipe: Recipe) -> Tensor:
    """Training pictures from all over the table, as they are validated, float32 [N, 3, S, S]."""
    how = recipe.preprocessing
    paths = table.loc[table["split"] == "train", "path"]
    pixels = load_pictures([*paths[:: -(-len(paths) // _MEASURED)]], how)
    return torch.from_numpy(normalise(pixels, how))
