"""``pawsight evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pawsight.cli import options
from pawsight.cli.common import (
    counting,
    fail,
    of_total,
    read_labels,
    refusing,
    require_train_extra,
)

if TYPE_CHECKING:
    import pandas as pd

    from pawsight.evaluation.evaluate import Evaluation


def evaluate(
    labels: options.Labels = None,
    images: options.Images = None,
    split: Annotated[
        Literal["train", "validation", "test", "all"], typer.Option(help="Which rows to measure.")
    ] = "test",
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model by name or folder; may be given several times."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="Write the figures into the model's card, under this name of the data."),
    ] = None,
    test_every: options.TestEvery = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
) -> None:
    """Measure models on a table of pictures and labels, through the same path as in serving.

    A column "split" in the table decides what is measured; else the rule that `pawsight train`
    follows on the same table. Rows labelled "neither" count for the part that is rejected.
    """
    require_train_extra()
    from pawsight.evaluation.evaluate import EvaluationError
    from pawsight.evaluation.evaluate import evaluate as measure
    from pawsight.images.errors import ImageError
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError

    if json_file and not json_file.parent.is_dir():
        fail(f"cannot write {str(json_file)!r}: there is no folder {str(json_file.parent)!r}")
    with refusing(ModelError):
        classifiers = [load(name) for name in model or ["custom"]]
    table = read_labels(
        labels,
        images,
        path_column=path_column,
        label_column=label_column,
        classes=classes,
        min_per_class=1,
    )
    if table.problems:
        typer.echo(table.summary(), err=True)
    rows = _rows(table.frame, split, test_every)
    data = record or f"{labels or images}, {split}"
    results = []
    for classifier in classifiers:
        with (
            refusing(EvaluationError, ImageError, OSError),
            counting(f"asking {classifier.reference.name}", len(rows)) as advance,
        ):
            results.append(
                measure(
                    classifier,
                    rows["path"].tolist(),
                    rows["label"].tolist(),
                    data=data,
                    progress=advance,
                )
            )
    _show(results)
    if json_file:
        with refusing(OSError):
            json_file.write_text(json.dumps([each.as_dict() for each in results], indent=2) + "\n")
    if record:
        from pawsight.training.export import record as write_record

        for classifier, result in zip(classifiers, results, strict=True):
            write_record(classifier.folder, result.measurement())


def _rows(frame: pd.DataFrame, split: str, test_every: int | None) -> pd.DataFrame:
    from pawsight.data.splits import split_table
    from pawsight.data.table import TableError

    if split == "all":
        return frame
    if "split" not in frame:
        with refusing(TableError), of_total("comparing pictures") as progress:
            frame = split_table(frame, test_every=test_every, progress=progress).frame
    rows: pd.DataFrame = frame.loc[frame["split"] == split]
    if rows.empty:
        fail(f"the table has no rows for {split}")
    return rows


def _show(results: list[Evaluation]) -> None:
    for each in results:
        typer.echo(f"{each.model} on {each.data}: {len(each.labels)} pictures")
        if each.accuracy is not None and each.interval is not None and each.ece is not None:
            low, high = each.interval
            typer.echo(f"  accuracy  {each.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%})")
            typer.echo(f"  ECE       {each.ece:.2%}")
        typer.echo(f"  neither   {each.rejected.mean():.2%}")
        for truth, answers in each.confusion.items():
            said = ", ".join(f"{count} {answer}" for answer, count in answers.items() if count)
            typer.echo(f"  {truth:<9} → {said}")
