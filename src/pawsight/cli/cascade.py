"""``pawsight cascade``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsight.cli import options
from pawsight.cli.common import (
    counting,
    model_name,
    read_labels,
    refusing,
    require_train_extra,
    rows_of,
)
from pawsight.cli.output_folder import made, refuse_others
from pawsight.plurals import counted

if TYPE_CHECKING:
    from pawsight.inference.artifact import Measurement
    from pawsight.inference.cascade_card import CascadeCard

_SPLIT = "validation"


def cascade(
    context: typer.Context,
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    fast: Annotated[str, typer.Option(help="The model that is asked first.")] = "custom",
    strong: Annotated[
        str, typer.Option(help="The model that is asked where the first is unsure.")
    ] = "pretrained",
    labels: options.Labels = None,
    images: options.Images = None,
    name: Annotated[
        str | None, typer.Option(help="Of the cascade; by default the folder's name.")
    ] = None,
    accuracy_below: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The part of the classes' pictures about which it may be wrong where the strong "
            "model is right.",
        ),
    ] = 0.001,
    catches_below: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The part of neither of which it may catch less than the strong model alone.",
        ),
    ] = 0.01,
    test_every: options.TestEvery = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
) -> None:
    """Choose when a fast model may decide alone, and when a strong one is asked.

    The thresholds that send on a small share of the validation split, such that the cascade is
    right where the strong model is and catches as much of neither, both but for what is allowed,
    and loses no more of the classes. The split is the table's column, else that of `pawsight
    train`. FOLDER gets the card, a plot of what each share gives, and a README; it is a model like
    any other. Repeat this whenever a member changes.
    """
    require_train_extra()
    from pawsight.images.errors import ImageError
    from pawsight.inference.cascade_card import CURVE_FILE
    from pawsight.inference.catalog import has_card
    from pawsight.inference.errors import ModelError
    from pawsight.training.build_cascade import build_cascade, find_members
    from pawsight.training.cascade import Allowance, ChoiceError

    called = model_name(name, output)
    with refusing(ModelError):
        members = find_members(fast, strong, output)  # before any picture is looked at
    if not has_card(output):  # of an earlier choice, which is made anew
        refuse_others(output, (CURVE_FILE,))
    context.with_resource(made(output))
    table = read_labels(
        labels,
        images,
        path_column=path_column,
        label_column=label_column,
        classes=classes or members[0][1].card.labels,
        min_per_class=1,
    )
    if table.problems:
        typer.echo(table.summary(), err=True)
    rows = rows_of(table.frame, _SPLIT, test_every)
    rows = rows.reset_index(drop=True)
    source = (labels or images or Path()).name
    with (
        refusing(ModelError, ChoiceError, ImageError, OSError),
        counting("asking both models", 2 * len(rows)) as advance,
    ):
        folder = build_cascade(
            fast, strong, rows, output,
            name=called,
            data=f"{_SPLIT} split of {source}",
            allowance=Allowance(accuracy=accuracy_below, catches=catches_below),
            progress=advance,
        )  # fmt: skip
    for line in _said(folder.card):
        typer.echo(line)
    typer.echo(f"cascade {output}, version {folder.version}")
    if _gains_nothing(*folder.card.alone):
        typer.echo(
            f"pawsight: on these pictures {strong} alone is no better than {fast} alone, and the "
            f"cascade does as {strong} does: ask {fast} by itself, or name a stronger model",
            err=True,
        )


def _gains_nothing(fast: Measurement, strong: Measurement) -> bool:
    """Whether the strong model neither names classes better, nor catches more, nor loses less."""
    return (
        (strong.accuracy or 0) <= (fast.accuracy or 0)
        and (strong.catches or 0) <= (fast.catches or 0)
        and (strong.loses or 0) >= (fast.loses or 0)
    )


def _said(card: CascadeCard) -> list[str]:
    lines = []
    for each in (*card.alone, card.metrics[0]):
        figures = [counted(each.pictures, "picture")]
        for word in ("accuracy", "loses", "catches", "sent_on"):
            share = getattr(each, word)
            if share is not None:
                figures.append(f"{word.replace('_', ' ')} {share:.2%}")
        lines.append(f"{each.data}: {', '.join(figures)}")
    choice = card.choice
    lines.append(
        f"sure: confidence of {choice.confidence:g} and score of {choice.accept:g} or more, or "
        f"score below {choice.reject:g}; else neither below {choice.reject_together:g} of the mean "
        f"score, {choice.weight:.0%} of it the fast one's"
    )
    return lines
