"""From a table to a model folder, in one call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pawsight.inference.artifact import RUN_FOLDER, ModelFolder
from pawsight.inference.catalog import has_card
from pawsight.training.beginning import Beginning, find_beginning
from pawsight.training.export import export_run
from pawsight.training.fit import fit
from pawsight.training.networks import teachers_of
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.table_checks import check_repeats, check_table
from pawsight.training.teachers import TeacherCard

log = logging.getLogger(__name__)


def refuse_begun(output: Path) -> None:
    """Make sure that no training begins where another has a checkpoint, or a model is.

    Raises:
        RunError: The folder holds one.
    """
    if RunFolder(output / RUN_FOLDER).begun:
        raise RunError(
            f"{str(output)!r} already holds a training: go on with it by --resume, or name "
            "another folder"
        )
    if has_card(output):
        raise RunError(f"{str(output)!r} already holds a model: name another folder")


def check_without_table(
    recipe: Recipe, output: Path, *, resume: bool = False, start: str | Path | None = None
) -> tuple[dict[str, TeacherCard], Beginning | None]:
    """What :func:`begin` can refuse before any picture is looked at.

    Args:
        recipe: As for :func:`begin`, and so are the others.
        output: Likewise.
        resume: Likewise.
        start: Likewise.

    Returns:
        The recipe's teachers, by the names that it gives them, and what a new training begins with,
        if that is not its recipe's.

    Raises:
        RunError: The folder holds a training and ``resume`` is not set, or the recipe or a teacher
            is another, or its checkpoint is torn; or the folder holds a model; or there is nothing
            to start from, or weights of another architecture.
        StartingPointError: The model to start from has another architecture.
        ModelError: A teacher is no model; or the model to start from is broken, or a cascade.
    """
    run = RunFolder(output / RUN_FOLDER)
    if resume and run.begun:
        teachers = teachers_of(recipe)
        run.check_same_recipe(recipe, _versions(teachers))
        run.check_whole()
        return teachers, None
    refuse_begun(output)
    teachers = teachers_of(recipe)
    if recipe.keep_start and not start:
        raise RunError("the recipe keeps a part of what it started from: name that (--start)")
    return teachers, find_beginning(str(start), recipe) if start else None


def begin(
    table: pd.DataFrame,
    recipe: Recipe,
    output: Path,
    *,
    resume: bool = False,
    start: str | Path | None = None,
) -> RunFolder:
    """Open the run of a training below a model folder, new or to be gone on with.

    Args:
        table: ``path``, ``label`` and ``split``; rows labelled ``neither`` show none of the
            classes.
        recipe: How to train.
        output: The folder that will be the model folder; the run is in ``training/`` below it.
        resume: Whether to go on with a run that is there; where it has no checkpoint, which is
            logged, everything is begun anew but what teachers have said already.
        start: What this one starts from: the folder of another training, of which it takes the best
            weights; or a model, by name or by the path of its folder. Of other classes, the
            classifier begins anew.

    Raises:
        StartingPointError: The model to start from has another architecture.
        RunError: The folder holds a training and ``resume`` is not set, or it is set and recipe,
            teachers or table differ, or its checkpoint is torn; or the table has fewer than two
            classes, or none in its validation split, or not all that the recipe repeats; or the
            weights to start from are not there, or those of another architecture, or of other
            classes and the recipe keeps a part of them.
        ModelError: A teacher is no model, or tells other classes apart than the table; or the
            model to start from is broken, or a cascade.
    """
    run = RunFolder(output / RUN_FOLDER)
    classes = check_table(table)
    teachers, found = check_without_table(recipe, output, resume=resume, start=start)
    if resume and run.begun:
        run.check_same_table(table)
    else:
        check_repeats(recipe, classes)
        for how in recipe.distillation:
            teachers[how.teacher].check_classes(classes)
        network = found.for_table(table, recipe) if found else None
        versions = _versions(teachers)
        if not (resume and run.is_same(recipe, table, versions)):
            run.clear()
        with run.cleared_if_refused():
            if found and network:
                run.start_from(network, found.origin)
            run.write(recipe, table, versions)
    if resume and not run.last.exists():
        run.clear_logs()  # of epochs that are trained again
        log.info("nothing to resume in %r: starting anew", str(output))
    return run


def _versions(teachers: Mapping[str, TeacherCard]) -> dict[str, str]:
    return {name: each.version for name, each in teachers.items()}


def train(
    table: pd.DataFrame, recipe: Recipe, output: Path, *, name: str, resume: bool = False
) -> ModelFolder:
    """Train a network and export it.

    Args:
        table: As for :func:`begin`.
        recipe: How.
        output: The folder: a model folder at the end.
        name: Of the model, for its card.
        resume: Go on where an earlier call with the same arguments was stopped.

    Raises:
        RunError: As :func:`begin` does.
        ExportError: ONNX Runtime answers otherwise than torch.
    """
    run = begin(table, recipe, output, resume=resume)
    with run.cleared_if_refused():
        fit(table, recipe, run, resume=resume)
    return export_run(run, output, name=name)
