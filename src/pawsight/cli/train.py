"""``pawsight train``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli import options
from pawsight.cli.common import (
    counting,
    model_name,
    of_total,
    read_labels,
    refusing,
    require_train_extra,
)

MOST_SHOWN = 200
"""Where more rows are left out, a few of each kind are shown."""


def train(
    output: Annotated[Path, typer.Option(help="The folder that becomes a model folder.")],
    labels: options.Labels = None,
    images: options.Images = None,
    recipe: Annotated[
        str, typer.Option(help="A recipe that pawsight ships, or the path of a .toml file.")
    ] = "simple-cnn",
    name: Annotated[
        str | None, typer.Option(help="Of the model; by default the folder's name.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Height and width in pixels, instead of the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a stopped training left off.")
    ] = False,
    fast_dev_run: Annotated[
        bool,
        typer.Option("--fast-dev-run", help="One batch of training and validation; keep nothing."),
    ] = False,
    checkpoint_every: Annotated[
        int, typer.Option(min=1, help="Steps between two checkpoints: all that a kill can cost.")
    ] = 50,
    left_out_file: Annotated[
        Path | None,
        typer.Option("--left-out", help="Write every row that is not used, and why, as CSV."),
    ] = None,
    test_every: options.TestEvery = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
) -> None:
    """Train a network on a table of pictures and labels.

    The table is checked first: every row that cannot be used is named, with what to do about it.
    Pictures that look alike never stand on both sides of the split. Rows labelled "neither" show
    none of the classes; with some of them, the model learns to say so.
    """
    require_train_extra()
    from pawsight.data.problems import EXAMPLES, TableError, report, write_problems
    from pawsight.data.splits import split_table
    from pawsight.training.export import export_run
    from pawsight.training.fit import fit
    from pawsight.training.folder import ExportError
    from pawsight.training.recipe import RecipeError, load_recipe
    from pawsight.training.run import RunError, RunFolder
    from pawsight.training.starting_points import StartingPointError
    from pawsight.training.train import begin, data_module

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    changes = {"epochs": epochs, "image_size": image_size, "seed": seed}
    called = model_name(name, output)
    with refusing(RecipeError):
        chosen = load_recipe(recipe, **changes)
    table = read_labels(
        labels,
        images,
        path_column=path_column,
        label_column=label_column,
        classes=classes,
        min_per_class=2,
    )
    with refusing(TableError), of_total("comparing pictures") as progress:
        split = split_table(table.frame, test_every=test_every, progress=progress)
    left_out = (*table.problems, *split.problems)
    few = len(left_out) <= MOST_SHOWN
    typer.echo(table.summary(MOST_SHOWN if few else EXAMPLES))
    if split.problems:
        typer.echo(report(split.problems, MOST_SHOWN if few else EXAMPLES))
    counts = split.frame["split"].value_counts()
    typer.echo(", ".join(f"{counts[each]} to {each}" for each in counts.index))
    if left_out_file:
        with refusing(OSError):
            write_problems(left_out, left_out_file)
    elif not few:
        typer.echo("--left-out FILE writes all rows that are not used into a table")
    on_terminal = sys.stderr.isatty()
    if fast_dev_run:
        with refusing(StartingPointError):
            fit(
                data_module(split.frame, chosen),
                chosen,
                RunFolder(output),
                fast_dev_run=True,
                progress=on_terminal,
            )
        typer.echo("one batch went through training and validation; nothing was kept")
        return
    with refusing(RunError, StartingPointError):
        run = begin(split.frame, chosen, output, resume=resume)
        try:
            fit(
                data_module(split.frame, chosen),
                chosen,
                run,
                resume=resume,
                checkpoint_every=checkpoint_every,
                progress=on_terminal,
            )
        except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
            typer.echo("\npawsight: stopped; the same command with --resume goes on", err=True)
            raise typer.Exit(130) from None
    with refusing(ExportError), counting("measuring") as advance:
        folder = export_run(run, output, name=called, progress=advance)
    for each in folder.card.metrics:
        if each.accuracy is not None:
            typer.echo(f"{each.data}: {each.accuracy:.2%} right")
    typer.echo(f"model folder {output}: `pawsight classify PICTURE --model {output}` asks it")
