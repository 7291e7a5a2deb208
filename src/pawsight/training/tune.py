"""Search for a better recipe by Optuna (Akiba et al. 2019), resumable at every trial."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import FrozenTrial

from pawsight.training.recipe import Recipe
from pawsight.training.search_space import SearchSpace, drawn, values_of
from pawsight.training.study import (
    ATTEMPT,
    STUDY_FILE,
    Found,
    done,
    enqueue_as_it_is,
    found,
    line,
    open_study,
    write_study,
)
from pawsight.training.table_checks import check_table
from pawsight.training.trial import attempt
from pawsight.training.tune_ray import trials_by_ray


def tune(
    table: pd.DataFrame,
    recipe: Recipe,
    space: SearchSpace,
    output: Path,
    *,
    trials: int,
    progress: Callable[[str], None] | None = None,
    cluster: str | None = None,
) -> Found:
    """Try recipes, the given one first, until so many trials are done in all.

    A tree-structured Parzen estimator (Bergstra et al. 2011) draws each from what those before it
    reached; one that is worse than the median of the others at the same epoch is broken off. What
    counts is the lowest validation loss of an epoch, of the averaged weights where the recipe
    averages them. The test split is not looked at.

    Args:
        table: ``path``, ``label`` and ``split``.
        recipe: What is varied.
        space: Which of its fields, and how far.
        output: A folder for ``study.db``, which a later call with the same arguments goes on with,
            and for the best recipe and the drawings, which are there after every trial.
        trials: In all, those of earlier calls included.
        progress: Called with a line about every trial.
        cluster: Address of a Ray cluster whose processors try one recipe each at the same time,
            which must find the pictures under the same names. None of them is broken off.

    Raises:
        ExtraMissing: A cluster, without Ray.
        ClusterError: It cannot be reached, or a trial failed there.
        RunError: The table cannot be trained on, or the folder holds a search with another recipe,
            space or table (:func:`~pawsight.training.study.refuse_another` says so before).
        RecipeError: A recipe that is drawn from the space cannot be.
        ModelError, StartingPointError: A teacher, or what the recipe starts from, is not here.
    """
    check_table(table)
    new = not (output / STUDY_FILE).exists()
    output.mkdir(parents=True, exist_ok=True)
    study = open_study(output, recipe, space, table)
    with _removed_if_refused(study, output if new else None):
        enqueue_as_it_is(study, values_of(recipe, space))
        left = max(trials - done(study), 0)
        if cluster:
            ended = trials_by_ray(study, table, recipe, space, left, cluster)
        else:
            ended = _trials_here(study, table, recipe, space, left, output)
        for trial in ended:
            if progress:
                progress(line(trial, done(study), trials))
            write_study(study, recipe, output)
    return found(study, recipe)


@contextmanager
def _removed_if_refused(study: optuna.Study, output: Path | None) -> Iterator[None]:
    """Leave nothing of a new search that ends in an error before a recipe was tried to its end."""
    try:
        yield
    except Exception:
        if output and not done(study):
            (output / STUDY_FILE).unlink()
            with suppress(OSError):  # something else lies there
                output.rmdir()
        raise


def _trials_here(
    study: optuna.Study,
    table: pd.DataFrame,
    recipe: Recipe,
    space: SearchSpace,
    trials: int,
    output: Path,
) -> Iterator[FrozenTrial]:
    def objective(trial: optuna.Trial) -> float:
        reached = attempt(table, drawn(recipe, space, trial), output / ATTEMPT, trial)
        if reached.pruned:
            raise optuna.TrialPruned
        trial.set_user_attr("accuracy", reached.accuracy)
        return reached.loss

    for _ in range(trials):
        with warnings.catch_warnings():
            # The recipe as it is may lie outside of the space: it is tried all the same.
            warnings.filterwarnings("ignore", message="Fixed parameter .* out of range")
            study.optimize(objective, n_trials=1)
        yield study.trials[-1]
