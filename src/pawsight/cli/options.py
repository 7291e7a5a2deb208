"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli.common import fail


def folder(given: str) -> Path:
    """A folder that is to be written; the empty name of an unset variable, say, is refused."""
    if not given:
        fail("a folder to write has no name: name one ('.' is this one)")
    return Path(given)


DEFAULT_MODEL = "auto"
Model = Annotated[str, typer.Option(help="A model by name, or by the path of its folder.")]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="CSV of paths and labels. Without it, the labels are the names of the folders below "
        "--images, or the words that the pictures' names begin with.",
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(help="Folder that the table's paths start from; by default the table's own."),
]
PathColumn = Annotated[
    str | None, typer.Option(help="The table's column of paths, where its name is unusual.")
]
LabelColumn = Annotated[
    str | None, typer.Option(help="The table's column of labels, where its name is unusual.")
]
Classes = Annotated[
    str | None,
    typer.Option(help="The classes, separated by commas; by default those that the table has."),
]
MayLose = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="The part of the classes' pictures that may be called neither, such as 0.02; 0 never "
        "answers neither. By default the model's own choice (`pawsight models show`).",
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Instead of the recipe's.")]
TestEvery = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="Test with the pictures whose number (cat.1230.jpg: 1230) divides by this. Default: "
        "10 where all are named so, else a draw of a tenth that is the same at every run.",
    ),
]
