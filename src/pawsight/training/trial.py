"""A trial of a search: a training by a recipe, of which only what it reached is kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

import lightning as L
import pandas as pd
from lightning.pytorch.callbacks import Callback

from pawsight.training.fit import averaging, fit
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunFolder


def attempt(table: pd.DataFrame, recipe: Recipe, folder: Path, trial: Reporting) -> TrialWatch:
    """Train by a recipe, and keep nothing of it but what was reached.

    Args:
        table: ``path``, ``label`` and ``split``.
        recipe: What is tried.
        folder: For what training writes; what a killed attempt has left there goes.
        trial: Is told what every epoch reached, and may end it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    watch = TrialWatch(trial)
    try:
        _fit(table, recipe, RunFolder(folder), watch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return watch


def _fit(table: pd.DataFrame, recipe: Recipe, run: RunFolder, watch: TrialWatch) -> None:
    fit(table, recipe, run, trial={"callbacks": [watch, *averaging(recipe)]})


class Reporting(Protocol):
    """What is told how a trial goes, as :class:`optuna.Trial` is."""

    def report(self, value: float, step: int) -> None:
        """Take the lowest loss after an epoch."""

    def should_prune(self) -> bool:
        """Whether the trial is to be broken off."""


class TrialWatch(Callback):
    """Reports every epoch to the trial, and ends one that the study gives up.

    Attributes:
        loss: The lowest validation loss of an epoch.
        accuracy: Of that epoch, on the validation split.
        pruned: Whether it was broken off.
    """

    def __init__(self, trial: Reporting) -> None:
        self._trial = trial
        self.loss = float("inf")
        self.accuracy = 0.0
        self.pruned = False

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report the epoch."""
        loss = float(trainer.callback_metrics["val_loss"])
        if loss < self.loss:
            self.loss = loss
            self.accuracy = float(trainer.callback_metrics["val_accuracy"])
        self._trial.report(self.loss, trainer.current_epoch)
        last = trainer.current_epoch + 1 == trainer.max_epochs
        if not last and self._trial.should_prune():
            self.pruned = True
            trainer.should_stop = True
