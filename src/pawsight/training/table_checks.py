"""Whether a table can be trained on, and by a recipe."""

from __future__ import annotations

import pandas as pd

from pawsight.data.trainable import why_not
from pawsight.labels import NEITHER, classes_of
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError


def check_table(table: pd.DataFrame) -> tuple[str, ...]:
    """The classes of a table, in the order of the logits, where it can be trained on.

    Args:
        table: ``label`` and ``split``.

    Raises:
        RunError: It has fewer than two classes, or none in its validation split, or one that its
            training split has no picture of.
    """
    if reason := why_not(table):
        raise RunError(reason)
    return classes_of(table["label"])


def check_repeats(recipe: Recipe, classes: tuple[str, ...]) -> None:
    """Make sure that a table has the labels that a recipe repeats.

    What is none may be named wherever there is none: recipes are for more than one table.

    Raises:
        RunError: It has not.
    """
    if unknown := sorted(set(recipe.repeats) - {*classes, NEITHER}):
        raise RunError(
            f"the recipe repeats {', '.join(map(repr, unknown))}, and the table's labels are "
            f"{', '.join(classes)}: correct `repeats`"
        )
