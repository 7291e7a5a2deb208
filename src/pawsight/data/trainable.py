"""Whether a table that was split can be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pawsight.labels import NEITHER, TAKEN, classes_of

if TYPE_CHECKING:
    import pandas as pd


def why_not(table: pd.DataFrame) -> str | None:
    """What stands in the way of training on a table, in words; None where nothing does.

    Args:
        table: ``label`` and ``split``.
    """
    classes = classes_of(table["label"])
    if taken := sorted(TAKEN & set(classes)):
        return (
            f"a class cannot be called {' or '.join(map(repr, taken))}, which is said where there "
            "is no class to name: call it otherwise in the table"
        )
    if len(classes) < 2:
        return "training needs two classes or more, each of at least two pictures that can be used"
    if not (table.loc[table["split"] == "validation", "label"] != NEITHER).any():
        return (
            f"the validation split has no picture of a class, only of {NEITHER!r}: the best "
            "weights and the thresholds are chosen on it"
        )
    absent = set(classes) - set(table.loc[table["split"] == "train", "label"])
    if absent:
        return (
            f"the training split has no picture of {', '.join(sorted(absent))}: add some, or leave "
            "the others out of the table, too"
        )
    return None
