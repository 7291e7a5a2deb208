"""Search for a better recipe by Optuna (Akiba et al. 2019), resumable at every trial."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import lightning as L
import optuna
import pandas as pd
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging
from optuna.trial import FrozenTrial, TrialState

from pawsight.data.table import data_digest
from pawsight.data.trainable import why_not
from pawsight.training.fit import fit
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.search_space import SearchSpace, changed, drawn

STUDY_FILE: Final = "study.db"
BEST_FILE: Final = "best.json"
HISTORY_FILE: Final = "history.svg"
IMPORTANCE_FILE: Final = "importance.svg"
_ATTEMPT: Final = "attempt"
WRITTEN: Final = (
    *(STUDY_FILE, f"{STUDY_FILE}-journal"),
    *(BEST_FILE, HISTORY_FILE, IMPORTANCE_FILE, _ATTEMPT),
)
"""What a search leaves in its folder, however it ended."""

_STUDY: Final = "recipe"
_SETTING: Final = "setting"
_AS_IT_IS: Final = "as it is"
_FIRST_UNPRUNED: Final = 4
"""Trials before a worse one may be broken off, one of them the recipe as it is."""


@dataclass(frozen=True)
class Found:
    """What a search knows so far.

    Attributes:
        recipe: The best one.
        loss: Its validation loss.
        accuracy: Its accuracy on the validation split.
        before: The validation loss of the recipe that the search began with; None where its trial
            was killed, and all others were done.
        finished: Trials that ran to their end.
        pruned: Trials that were broken off, as they were worse than others at the same epoch.
    """

    recipe: Recipe
    loss: float
    accuracy: float
    before: float | None
    finished: int
    pruned: int


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
            space or table.
        RecipeError: A recipe that is drawn from the space cannot be.
        ModelError, StartingPointError: A teacher, or what the recipe starts from, is not here.
    """
    if reason := why_not(table):
        raise RunError(reason)
    new = not (output / STUDY_FILE).exists()
    output.mkdir(parents=True, exist_ok=True)
    study = _open_study(output, recipe, space, table)
    with _removed_if_refused(study, output if new else None):
        if _trial_as_it_is(study) is None:
            study.enqueue_trial(_as_it_is(recipe, space), user_attrs={_AS_IT_IS: True})
        left = max(trials - _done(study), 0)
        if cluster:
            from pawsight.training.tune_ray import trials_by_ray

            ended = trials_by_ray(study, table, recipe, space, left, cluster)
        else:
            ended = _trials_here(study, table, recipe, space, left, output)
        for trial in ended:
            if progress:
                progress(_line(trial, _done(study), trials))
            _write(study, recipe, output)
    return _found(study, recipe)


@contextmanager
def _removed_if_refused(study: optuna.Study, output: Path | None) -> Iterator[None]:
    """Leave nothing of a new search that ends in an error before a recipe was tried to its end."""
    try:
        yield
    except Exception:
        if output and not _done(study):
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
        reached = attempt(table, drawn(recipe, space, trial), output / _ATTEMPT, trial)
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
    callbacks: list[Callback] = [watch]
    if recipe.ema_decay:
        callbacks.append(EMAWeightAveraging(decay=recipe.ema_decay))
    fit(table, recipe, run, trial={"callbacks": callbacks})


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


def _open_study(
    output: Path, recipe: Recipe, space: SearchSpace, table: pd.DataFrame
) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=_STUDY,
        storage=f"sqlite:///{output / STUDY_FILE}",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_FIRST_UNPRUNED, n_warmup_steps=1),
    )
    for broken in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(broken.number, state=TrialState.FAIL)  # by a kill
    # What a further trial draws depends on those before it, and not on how often it was resumed.
    study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + len(study.trials))
    setting = {
        "recipe": recipe.model_dump(mode="json"),
        "search space": {name: how.model_dump(mode="json") for name, how in space.items()},
        "table": data_digest(table),
    }
    setting = json.loads(json.dumps(setting))
    before = study.user_attrs.get(_SETTING)
    if before is None:
        study.set_user_attr(_SETTING, setting)
    elif different := [name for name in setting if before.get(name) != setting[name]]:
        raise RunError(
            f"{str(output)!r} holds a search with another {' and another '.join(different)}: go on "
            "with the same, or name another folder"
        )
    return study


def _as_it_is(recipe: Recipe, space: SearchSpace) -> dict[str, Any]:
    """The values that a recipe has where a space varies it."""
    fields: Any = recipe.model_dump(mode="json")
    values = {}
    for name in space:
        at = fields
        for part in name.split("."):
            at = at[part]
        values[name] = at
    return values


def _trial_as_it_is(study: optuna.Study) -> FrozenTrial | None:
    """That of the recipe as it is, unless it was killed: others may be done before it is."""
    trials = study.get_trials(deepcopy=False)
    mine = (each for each in trials if _AS_IT_IS in each.user_attrs)
    return next((each for each in mine if each.state != TrialState.FAIL), None)


def _done(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _line(trial: FrozenTrial, number: int, of: int) -> str:
    values = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in trial.params.items()
    )
    if trial.state == TrialState.PRUNED:
        return (
            f"{number} of {of}: broken off after {len(trial.intermediate_values)} epochs ({values})"
        )
    return (
        f"{number} of {of}: loss {trial.value:.4f}, {trial.user_attrs['accuracy']:.2%} right "
        f"({values})"
    )


def _found(study: optuna.Study, recipe: Recipe) -> Found:
    best, before = study.best_trial, _trial_as_it_is(study)
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return Found(
        recipe=changed(recipe, {"name": f"{recipe.name}-tuned", **best.params}),
        loss=float(study.best_value),
        accuracy=float(best.user_attrs["accuracy"]),
        before=before.value if before else None,
        finished=len(finished),
        pruned=_done(study) - len(finished),
    )


def _write(study: optuna.Study, recipe: Recipe, output: Path) -> None:
    """The best recipe, and drawings of the study."""
    from optuna.visualization import matplotlib as drawing

    best = _found(study, recipe).recipe
    (output / BEST_FILE).write_text(best.model_dump_json(indent=2) + "\n", encoding="utf-8")
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        _save(drawing.plot_optimization_history(study), output / HISTORY_FILE)
        if len(finished) >= _FIRST_UNPRUNED and len({trial.value for trial in finished}) > 1:
            _save(drawing.plot_param_importances(study), output / IMPORTANCE_FILE)


def _save(axes: Any, file: Path) -> None:  # noqa: ANN401 - matplotlib's axes
    from matplotlib import pyplot

    axes.figure.savefig(file, bbox_inches="tight")
    pyplot.close(axes.figure)
