"""From a table to a model folder, in one call."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pawsight.inference.artifact import ModelFolder
from pawsight.labels import NEITHER, classes_of
from pawsight.training.export import export_run
from pawsight.training.fit import fit, load_weights, random_network, starting_point
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError, RunFolder

RUN_FOLDER = "training"
"""Below the model folder: checkpoints and logs, which serving does not need."""


def check_table(table: pd.DataFrame) -> tuple[str, ...]:
    """The classes of a table, in the order of the logits, where it can be trained on.

    Args:
        table: ``label`` and ``split``.

    Raises:
        RunError: It has fewer than two classes, or none in its validation split, or one that its
            training split has no picture of.
    """
    classes = classes_of(table["label"])
    if len(classes) < 2:
        raise RunError("training needs two classes or more; see the report on the table above")
    if not (table.loc[table["split"] == "validation", "label"] != NEITHER).any():
        raise RunError(
            f"the validation split has no picture of a class, only of {NEITHER!r}: the best "
            "weights and the thresholds are chosen on it"
        )
    absent = set(classes) - set(table.loc[table["split"] == "train", "label"])
    if absent:
        raise RunError(
            f"the training split has no picture of {', '.join(sorted(absent))}: add some, or name "
            "the other classes (--classes)"
        )
    return classes


def begin(
    table: pd.DataFrame,
    recipe: Recipe,
    output: Path,
    *,
    resume: bool = False,
    start: Path | None = None,
) -> RunFolder:
    """Open the run of a training below a model folder, new or to be gone on with.

    Args:
        table: ``path``, ``label`` and ``split``; rows labelled ``neither`` show none of the
            classes.
        recipe: How to train.
        output: The folder that will be the model folder; the run is in ``training/`` below it.
        resume: Whether to go on with a run that is there.
        start: The folder of another training, whose best weights this one starts from.

    Raises:
        RunError: The folder holds a training and ``resume`` is not set, or it is set and recipe or
            table differ; or the table has fewer than two classes, or none in its validation split;
            or the weights to start from are not there, or those of another architecture.
        ModelError: A teacher is no model.
    """
    run = RunFolder(output / RUN_FOLDER)
    classes = check_table(table)
    if resume and run.exists:
        run.check_same(recipe, table)
    elif run.exists:
        raise RunError(
            f"{str(output)!r} already holds a training: go on with it by --resume, or name "
            "another folder"
        )
    else:
        starting_point(recipe)  # a teacher that is not there is refused before anything is written
        if start:
            other = RunFolder(start / RUN_FOLDER)
            before, _ = other.read()
            load_weights(random_network(recipe, len(classes)), other.trained())
            run.start_from(other, f"recipe {before.name}: {starting_point(before, other.origin)}")
        run.write(recipe, table)
    return run


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
    fit(table, recipe, run, resume=resume)
    return export_run(run, output, name=name)
