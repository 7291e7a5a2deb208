"""``pawsight train``: the training itself, of a new head or of all weights."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pawsight.cli.common import as_model, counting, refusing

if TYPE_CHECKING:
    import pandas as pd

    from pawsight.inference.artifact import ModelFolder
    from pawsight.inference.catalog import Entry
    from pawsight.training.recipe import Recipe


def train_head(table: pd.DataFrame, model: Entry, output: Path, *, name: str, seed: int) -> None:
    """Train a new head on a model's features, and say what it reached.

    Args:
        table: With its split.
        model: Whose network stays as it is.
        output: The folder that becomes a model folder.
        name: For its card.
        seed: Of what is drawn.
    """
    from pawsight.images.errors import ImageError
    from pawsight.inference.errors import ModelError
    from pawsight.training.folder import ExportError
    from pawsight.training.run import RunError
    from pawsight.training.transfer import transfer

    errors = (RunError, ModelError, ExportError, ImageError, OSError)
    with refusing(*errors), counting("looking") as advance:
        start = model.open()
        folder = transfer(table, start, output, name=name, seed=seed, progress=advance)
    _say_what_it_reached(folder, output)


def train_network(
    table: pd.DataFrame,
    recipe: Recipe,
    output: Path,
    *,
    name: str,
    start: str | None,
    resume: bool,
    checkpoint_every: int,
) -> None:
    """Train all weights, new or going on, make a model folder, and say what it reached.

    Args:
        table: With its split.
        recipe: How.
        output: The folder that becomes a model folder.
        name: For its card.
        start: What it starts from, as the option has it.
        resume: Whether to go on with a training that was stopped.
        checkpoint_every: Steps between two checkpoints.
    """
    from pawsight.images.errors import ImageError
    from pawsight.inference.errors import ModelError
    from pawsight.training.export import export_run
    from pawsight.training.fit import fit
    from pawsight.training.folder import ExportError
    from pawsight.training.run import RunError
    from pawsight.training.starting_points import StartingPointError
    from pawsight.training.train import begin

    hush_lightning()
    with refusing(RunError, StartingPointError, ModelError, ImageError, OSError):
        run = begin(table, recipe, output, resume=resume, start=start)
        try:
            with run.cleared_if_refused():
                fit(
                    table,
                    recipe,
                    run,
                    resume=resume,
                    checkpoint_every=checkpoint_every,
                    progress=sys.stderr.isatty(),
                )
        except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
            typer.echo("\npawsight: stopped; the same command with --resume goes on", err=True)
            raise typer.Exit(130) from None
    with refusing(ExportError, ModelError, ImageError, OSError), counting("measuring") as advance:
        folder = export_run(run, output, name=name, progress=advance)
    _say_what_it_reached(folder, output)


def hush_lightning() -> None:
    """Have Lightning, which was imported, say what is amiss and nothing else."""
    for name in ("lightning.pytorch", "lightning.fabric"):  # it sets both levels at its import
        logging.getLogger(name).setLevel(logging.WARNING)


def _say_what_it_reached(folder: ModelFolder, output: Path) -> None:
    say_accuracies(folder)
    typer.echo(
        f"model folder {output}: `pawsight classify PICTURE --model {as_model(output)}` asks it"
    )


def say_accuracies(folder: ModelFolder) -> None:
    """A line for each data on which a model was measured."""
    for each in folder.card.metrics:
        if each.accuracy is not None:
            typer.echo(f"{each.data}: {each.accuracy:.2%} right")
