"""The study of a search: what was tried so far, kept in a folder, and drawn."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import optuna
import pandas as pd
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from pawsight.data.table import data_digest
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError
from pawsight.training.search_space import SearchSpace, changed

STUDY_FILE: Final = "study.db"
BEST_FILE: Final = "best.json"
HISTORY_FILE: Final = "history.svg"
IMPORTANCE_FILE: Final = "importance.svg"
ATTEMPT: Final = "attempt"
WRITTEN: Final = (
    *(STUDY_FILE, f"{STUDY_FILE}-journal"),
    *(BEST_FILE, HISTORY_FILE, IMPORTANCE_FILE, ATTEMPT),
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


def open_study(
    output: Path, recipe: Recipe, space: SearchSpace, table: pd.DataFrame
) -> optuna.Study:
    """The study of a folder, new or to be gone on with; what was killed in it has failed.

    Args:
        output: The folder.
        recipe: What is varied.
        space: Which of its fields, and how far.
        table: ``path``, ``label`` and ``split``.

    Raises:
        RunError: It is one of another recipe, space or table, or none.
    """
    study = _opened(output)
    for broken in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(broken.number, state=TrialState.FAIL)  # by a kill
    # What a further trial draws depends on those before it, and not on how often it was resumed.
    study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + len(study.trials))
    setting = _setting(recipe, space) | {"table": data_digest(table)}
    if _SETTING in study.user_attrs:
        _refuse_others(output, study, setting)
    else:
        study.set_user_attr(_SETTING, setting)
    return study


def refuse_another(output: Path, recipe: Recipe, space: SearchSpace) -> None:
    """Refuse the study of another search, as far as can be told without the table.

    Args:
        output: The folder, with a study or not.
        recipe: As for :func:`open_study`.
        space: Likewise.

    Raises:
        RunError: It is one of another recipe or space, or none.
    """
    if (output / STUDY_FILE).exists():
        _refuse_others(output, _opened(output), _setting(recipe, space))


def _opened(output: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what breaks a trial off is said by us
    try:
        return optuna.create_study(
            study_name=_STUDY,
            storage=f"sqlite:///{output / STUDY_FILE}",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_FIRST_UNPRUNED, n_warmup_steps=1),
        )
    except (SQLAlchemyError, OptunaError) as error:
        raise RunError(
            f"{str(output / STUDY_FILE)!r} is no study that can be gone on with: move it away, or "
            "name another folder"
        ) from error


def _setting(recipe: Recipe, space: SearchSpace) -> dict[str, Any]:
    """What makes trials comparable, as it comes back from JSON."""
    setting = {
        "recipe": recipe.model_dump(mode="json"),
        "search space": {name: how.model_dump(mode="json") for name, how in space.items()},
    }
    found: dict[str, Any] = json.loads(json.dumps(setting))
    return found


def _refuse_others(output: Path, study: optuna.Study, setting: dict[str, Any]) -> None:
    before = study.user_attrs.get(_SETTING, setting)
    if different := [name for name in setting if before.get(name) != setting[name]]:
        raise RunError(
            f"{str(output)!r} holds a search with another {' and another '.join(different)}: go on "
            "with the same, or name another folder"
        )


def enqueue_as_it_is(study: optuna.Study, values: dict[str, Any]) -> None:
    """Have the recipe as it is tried next, unless it was.

    Args:
        study: The study.
        values: Of the fields that are varied.
    """
    if _trial_as_it_is(study) is None:
        study.enqueue_trial(values, user_attrs={_AS_IT_IS: True})


def _trial_as_it_is(study: optuna.Study) -> FrozenTrial | None:
    """That of the recipe as it is, unless it was killed: others may be done before it is."""
    trials = study.get_trials(deepcopy=False)
    mine = (each for each in trials if _AS_IT_IS in each.user_attrs)
    return next((each for each in mine if each.state != TrialState.FAIL), None)


def done(study: optuna.Study) -> int:
    """How many trials have ended, at their end or broken off."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def line(trial: FrozenTrial, number: int, of: int) -> str:
    """What is said of a trial that has ended, the so-manieth of so many."""
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


def found(study: optuna.Study, recipe: Recipe) -> Found:
    """What a study knows, whose recipe was varied; one trial or more ran to its end."""
    best, before = study.best_trial, _trial_as_it_is(study)
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return Found(
        recipe=changed(recipe, {"name": f"{recipe.name}-tuned", **best.params}),
        loss=float(study.best_value),
        accuracy=float(best.user_attrs["accuracy"]),
        before=before.value if before else None,
        finished=len(finished),
        pruned=done(study) - len(finished),
    )


def write_study(study: optuna.Study, recipe: Recipe, output: Path) -> None:
    """Write the best recipe, and drawings of the study."""
    from optuna.visualization import matplotlib as drawing

    best = found(study, recipe).recipe
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
