"""``pawsight audit``."""

from __future__ import annotations

import csv
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pawsight.cli import options
from pawsight.cli.common import (
    HTML_MARK,
    check_target,
    counting,
    read_labels,
    refusing,
    require_train_extra,
)

if TYPE_CHECKING:
    from pawsight.training.audit import Doubt

_SHOWN = 20


def audit(
    labels: options.Labels = None,
    images: options.Images = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the doubted pictures into this HTML file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the doubts to this CSV, the worst first.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many pictures the HTML file has.")] = 200,
    describe: Annotated[
        Literal["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"],
        typer.Option(help="The ImageNet classifier whose outputs describe the pictures."),
    ] = "efficientnet-lite2",
    image_size: Annotated[
        int, typer.Option(min=32, help="Height and width at which it looks at them.")
    ] = 224,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
) -> None:
    """Find labels that are probably wrong.

    Every picture is judged by a classifier that was fitted on the others, on the outputs of a
    network that has never seen the labels. Nothing is changed: look at the pictures and decide.
    """
    require_train_extra()
    from pawsight.training.audit import Doubt, audit
    from pawsight.training.audit_page import render_doubts
    from pawsight.training.starting_points import StartingPointError
    from pawsight.training.teachers import ImageNetTeacher

    columns = [field.name for field in fields(Doubt)]
    check_target(html, labels, HTML_MARK)
    check_target(output, labels, ",".join(columns))
    with refusing(StartingPointError):
        network = ImageNetTeacher(describe, image_size)
    frame = read_labels(
        labels, images, path_column=path_column, label_column=label_column, classes=classes,
        min_per_class=2,
    ).frame  # fmt: skip
    with refusing(ValueError, OSError), counting("looking at pictures", len(frame)) as advance:
        doubts = audit(frame, network, progress=advance)
    for doubt in doubts[:_SHOWN]:
        typer.echo(_line(doubt))
    typer.echo(f"{len(doubts)} of {len(frame)} labels are probably wrong")
    with refusing(OSError):
        if html:
            html.write_text(render_doubts(doubts, len(frame), most), encoding="utf-8")
        if output:
            with output.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream)
                writer.writerow(columns)
                writer.writerows(astuple(doubt) for doubt in doubts)


def _line(doubt: Doubt) -> str:
    return (
        "{path}: {label} ({label_probability:.1%}), rather {suggestion} "
        "({suggestion_probability:.1%})"
    ).format(**asdict(doubt))
