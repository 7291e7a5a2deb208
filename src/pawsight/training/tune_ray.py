"""Trials of a search side by side, on the processors of a Ray cluster."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import optuna
import pandas as pd
from optuna.trial import FrozenTrial

from pawsight.cluster import connected
from pawsight.training.recipe import Recipe
from pawsight.training.search_space import SearchSpace, drawn
from pawsight.training.trial import attempt


class Reached(NamedTuple):
    """What a trial came to.

    Attributes:
        loss: The lowest validation loss of an epoch.
        accuracy: Of that epoch.
        losses: The lowest so far after each epoch.
    """

    loss: float
    accuracy: float
    losses: list[float]


def trials_by_ray(
    study: optuna.Study,
    table: pd.DataFrame,
    recipe: Recipe,
    space: SearchSpace,
    trials: int,
    address: str,
) -> Iterator[FrozenTrial]:
    """Try so many recipes more, as many at once as the cluster has processors.

    The study stays here: a recipe is drawn whenever a processor is free, from what has ended so
    far. What was being tried on a machine that is lost is tried again.

    Raises:
        ExtraMissing: Ray is not installed.
        ClusterError: The cluster cannot be reached, or a trial failed there.
        RecipeError: A recipe that is drawn from the space cannot be.
    """
    with connected(address) as ray:
        remote = ray.remote(num_cpus=1, max_retries=-1)(_attempt)
        rows = ray.put(table)
        slots = max(1, int(ray.cluster_resources().get("CPU", 1)))
        running: dict[object, optuna.Trial] = {}
        while trials or running:
            while trials and len(running) < slots:
                with warnings.catch_warnings():
                    # The recipe as it is may lie outside of the space: it is tried all the same.
                    warnings.filterwarnings("ignore", message="Fixed parameter .* out of range")
                    trial = study.ask()
                    chosen = drawn(recipe, space, trial)
                running[remote.remote(rows, chosen)] = trial
                trials -= 1
            [first], _ = ray.wait(list(running), num_returns=1)
            reached: Reached = ray.get(first)
            trial = running.pop(first)
            for epoch, loss in enumerate(reached.losses):
                trial.report(loss, epoch)
            trial.set_user_attr("accuracy", reached.accuracy)
            yield study.tell(trial, reached.loss)


def _attempt(table: pd.DataFrame, recipe: Recipe) -> Reached:
    kept = _Kept()
    with tempfile.TemporaryDirectory() as folder:
        watch = attempt(table, recipe, Path(folder) / "attempt", kept)
    return Reached(watch.loss, watch.accuracy, kept.losses)


class _Kept:
    """Keeps what it is told; the study is on another machine."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def report(self, value: float, step: int) -> None:
        self.losses.append(value)

    def should_prune(self) -> bool:
        return False
