"""Debug runs: quick looks at a training, of which nothing is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import pandas as pd
from lightning.pytorch.profilers import SimpleProfiler

from pawsight.training.fit import fit
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunFolder

PICTURES: Final = 10
"""That :func:`overfit` learns by heart."""

_EPOCHS: Final = 40
_PROFILED_STEPS: Final = 20


def one_batch(table: pd.DataFrame, recipe: Recipe) -> None:
    """One batch of training and one of validation: does everything fit together?

    Args:
        table: ``path``, ``label`` and ``split``.
        recipe: How to train.
    """
    _try(table, recipe, fast_dev_run=True)


def profile(table: pd.DataFrame, recipe: Recipe) -> str:
    """Some steps of training: Lightning's table of what they spent their time on."""
    profiler = SimpleProfiler(extended=False)
    _try(
        table,
        recipe,
        max_epochs=1,
        limit_train_batches=_PROFILED_STEPS,
        limit_val_batches=1,
        profiler=profiler,
    )
    return profiler.summary()


def overfit(table: pd.DataFrame, recipe: Recipe) -> float:
    """Learn ten pictures by heart: a network and a loss that cannot do that have a mistake in them.

    Without augmentation, teachers, averaging of weights and label smoothing.

    Returns:
        The part of the ten that is answered right in the end, in [0, 1].
    """
    rows = table.loc[table["split"] == "train"]
    classes = rows["label"].nunique()
    chosen = rows.groupby("label").head(-(-PICTURES // classes)).head(PICTURES)
    both = pd.concat([chosen, chosen.assign(split="validation")], ignore_index=True)
    plain = recipe.model_copy(
        update={
            "epochs": _EPOCHS, "batch_size": len(chosen), "augmentation": None, "repeats": {},
            "distillation": (), "hints": (), "views": 0, "ema_decay": 0.0, "label_smoothing": 0.0,
            "restarts": (), "training_sizes": ((0, recipe.image_size),), "patch_dropout": (),
            "crop_fraction": 1.0,
        }
    )  # fmt: skip
    classifier = _try(both, plain, max_epochs=_EPOCHS, check_val_every_n_epoch=_EPOCHS)
    return float(classifier.trainer.callback_metrics["val_accuracy"])


def _try(table: pd.DataFrame, recipe: Recipe, **trial: Any) -> Any:  # noqa: ANN401 - Lightning's
    recipe = recipe.model_copy(update={"views": 0})  # keeping answers takes longer than the trial
    with tempfile.TemporaryDirectory() as folder:
        return fit(table, recipe, RunFolder(Path(folder)), trial=trial)
