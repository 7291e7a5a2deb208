"""``pawsight tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli import options
from pawsight.cli.common import read_labels, refusing, require_train_extra, split_rows
from pawsight.cli.output_folder import made, refuse_others
from pawsight.cli.training import hush_lightning


def tune(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option(help="A folder for the study, its drawings and the best recipe.")
    ],
    labels: options.Labels = None,
    images: options.Images = None,
    recipe: Annotated[
        str, typer.Option(help="What is varied: a recipe that pawsight ships, or the path of one.")
    ] = "simple-cnn",
    space: Annotated[
        Path | None,
        typer.Option(
            help="TOML with a table for every field that is varied: `low`, `high` and `log`, or "
            "`among`. By default the rate, the optimizer and what else often matters."
        ),
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="In all, those of earlier calls on the same folder included.")
    ] = 30,
    epochs: Annotated[int | None, typer.Option(help="Of a trial, instead of the recipe's.")] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Height and width in pixels, instead of the recipe's.")
    ] = None,
    seed: options.Seed = None,
    test_every: options.TestEvery = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Let a Ray cluster try recipes side by side, one a processor: its address, or "
            "'local' for this machine's processors.",
            metavar="ADDRESS",
        ),
    ] = None,
) -> None:
    """Search for a better recipe, by Optuna.

    The recipe as it is comes first; the lowest validation loss wins, and the test split is not
    looked at. The same command goes on where a search was stopped. `pawsight train --recipe
    OUTPUT/best.json` trains by what was found.
    """
    require_train_extra()
    from pawsight.cluster import ClusterError
    from pawsight.extras import ExtraMissing, require
    from pawsight.images.errors import ImageError
    from pawsight.inference.errors import ModelError
    from pawsight.training.networks import teachers_of
    from pawsight.training.recipe import RecipeError, load_recipe
    from pawsight.training.run import RunError
    from pawsight.training.search_space import DEFAULT, read_search_space, values_of
    from pawsight.training.starting_points import StartingPointError
    from pawsight.training.study import BEST_FILE, STUDY_FILE, WRITTEN, refuse_another
    from pawsight.training.tune import tune as search

    hush_lightning()
    with refusing(RecipeError, ExtraMissing):
        if ray:
            require("ray", "--ray")
        chosen = load_recipe(recipe, epochs=epochs, image_size=image_size, seed=seed)
        varied = read_search_space(space) if space else DEFAULT
        values_of(chosen, varied)  # which refuses what does not fit
    with refusing(RunError, ModelError, OSError):
        if not (output / STUDY_FILE).exists():
            refuse_others(output, WRITTEN)
        refuse_another(output, chosen, varied)
        teachers_of(chosen)  # or one that is not here is refused
    context.with_resource(made(output))
    table = read_labels(
        labels,
        images,
        path_column=path_column,
        label_column=label_column,
        classes=classes,
        min_per_class=2,
    )
    split = split_rows(table.frame, test_every)
    with refusing(
        *(RunError, RecipeError, StartingPointError, ModelError, ImageError),
        *(ExtraMissing, ClusterError, OSError),
    ):
        try:
            found = search(
                split.frame, chosen, varied, output,
                trials=trials, progress=typer.echo, cluster=ray,
            )  # fmt: skip
        except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
            typer.echo("\npawsight: stopped; the same command goes on", err=True)
            raise typer.Exit(130) from None
    before = "was not tried to its end" if found.before is None else f"has {found.before:.4f}"
    typer.echo(
        f"the best of {found.finished} recipes ({found.pruned} more were broken off) has a "
        f"validation loss of {found.loss:.4f}, {found.accuracy:.2%} right; the one that was varied "
        f"{before}"
    )
    typer.echo(f"`pawsight train --recipe {output / BEST_FILE} …` trains by it")
