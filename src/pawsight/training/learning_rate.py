"""The learning-rate range test (Smith 2017, *Cyclical learning rates*), by Lightning."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lightning as L
import numpy as np
import pandas as pd
from lightning.pytorch.tuner.tuning import Tuner

from pawsight.training.fit import build_classifier, data_module
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunFolder

STEPS: Final = 100
LOWEST: Final = 1e-6
HIGHEST: Final = 1.0
"""The first rate, and the last."""
_SKIPPED: Final = 15  # Lightning's smoothed loss is too low until then


@dataclass(frozen=True)
class RangeTest:
    """A rate that rises with every step, and the loss that it led to.

    Attributes:
        rates: Of the steps, but for the first ones.
        losses: Smoothed, one a rate.
        suggestion: The rate at which the loss fell fastest; None where it did not fall.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float | None


def find_learning_rate(table: pd.DataFrame, recipe: Recipe) -> RangeTest:
    """Raise the rate geometrically over a hundred steps, until the loss explodes.

    Args:
        table: ``path``, ``label`` and ``split``.
        recipe: Whose ``learning_rate`` is to be found; every layer gets the same rate.
    """
    recipe = recipe.model_copy(update={"views": 0, "layer_decay": 1.0})
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        data = data_module(table, recipe, run)
        data.setup("fit")
        classifier = build_classifier(recipe, data, run)
        trainer = L.Trainer(
            accelerator="auto",
            max_epochs=STEPS,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        found = Tuner(trainer).lr_find(
            classifier,
            datamodule=data,
            min_lr=LOWEST,
            max_lr=HIGHEST,
            num_training=STEPS,
            update_attr=False,
        )
    if found is None:
        raise RuntimeError("Lightning gave no range test")
    rates = np.array(found.results["lr"])[_SKIPPED:]
    losses = np.array(found.results["loss"])[_SKIPPED:]
    # Lightning's own suggestion takes the slope over the rate itself, which finds the lowest ones.
    with np.errstate(invalid="ignore"):
        slope = np.gradient(losses, np.log(rates))
    slope[np.isnan(slope)] = np.inf  # the loss has exploded there
    steepest = int(slope.argmin())
    return RangeTest(
        tuple(rates.tolist()),
        tuple(losses.tolist()),
        float(rates[steepest]) if slope[steepest] < 0 else None,
    )
