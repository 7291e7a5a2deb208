"""``pawsight train --debug``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pawsight.cli.common import fail, refusing
from pawsight.cli.training import hush_lightning

if TYPE_CHECKING:
    import pandas as pd

    from pawsight.training.recipe import Recipe


def debug_run(kind: str, table: pd.DataFrame, recipe: Recipe) -> None:
    """Do a debug run, and say what came out.

    Args:
        kind: As the option has it.
        table: With its split.
        recipe: Of the training.
    """
    from pawsight.images.errors import ImageError
    from pawsight.inference.errors import ModelError
    from pawsight.training.run import RunError
    from pawsight.training.starting_points import StartingPointError
    from pawsight.training.table_checks import check_repeats, check_table

    with refusing(RunError, StartingPointError, ModelError, ImageError, OSError):
        check_repeats(recipe, check_table(table))
        if kind == "table":
            typer.echo("it can be trained on")
        else:
            _run(kind, table, recipe)
    typer.echo("nothing was kept")


def _run(kind: str, table: pd.DataFrame, recipe: Recipe) -> None:
    from pawsight.training.debug import PICTURES, one_batch, overfit, profile
    from pawsight.training.learning_rate import find_learning_rate

    hush_lightning()
    if kind == "batch":
        one_batch(table, recipe)
        typer.echo("one batch went through training and validation")
    elif kind == "profile":
        typer.echo(profile(table, recipe))
    elif kind == "overfit":
        right = overfit(table, recipe)
        typer.echo(f"{right:.0%} of {PICTURES} pictures were learned by heart")
        if right < 1:
            fail("a network that cannot learn ten pictures by heart has a mistake in it")
    else:
        test = find_learning_rate(table, recipe)
        for rate, loss in list(zip(test.rates, test.losses, strict=True))[::5]:
            typer.echo(f"{rate:10.2e}  loss {loss:.3f}")
        typer.echo(
            f"the loss falls fastest at {test.suggestion:.2e}; the recipe has "
            f"{recipe.learning_rate:g}"
            if test.suggestion
            else "the loss never fell"
        )
