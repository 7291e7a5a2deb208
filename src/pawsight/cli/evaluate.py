"""``pawsight evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pawsight.cli import options
from pawsight.cli.common import (
    HTML_MARK,
    check_target,
    counting,
    fail,
    of_total,
    read_labels,
    refusing,
    require_train_extra,
    rows_of,
)
from pawsight.cli.output_folder import made

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pawsight.evaluation.evaluate import Evaluation
    from pawsight.inference.model import Model


def evaluate(
    labels: options.Labels = None,
    images: options.Images = None,
    split: Annotated[
        Literal["train", "validation", "test", "all"] | None,
        typer.Option(
            help="Which rows to measure. By default test where the table has a column split, else "
            "all; without such a column, the splits are those of `pawsight train`."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model by name or folder; may be given several times."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file.")
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", help="Write the whole report to this file, which needs no other."),
    ] = None,
    mistakes: Annotated[
        Literal["none", "paths", "pictures"],
        typer.Option(
            help="What --json says of the worst mistakes: nothing, where they lie, or small "
            "pictures of them too, which the web page shows."
        ),
    ] = "paths",
    keep_seen: Annotated[
        bool,
        typer.Option("--keep-seen", help="Measure also on pictures that a model was trained on."),
    ] = False,
    may_lose: options.MayLose = None,
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

    Rows labelled "neither" count for the part that is caught. A column "kind" says what the report
    counts apart; else the pictures' folders do. Pictures that a model was trained or validated on,
    or that look the same, are left out for all, and counted.
    """
    require_train_extra()
    from pawsight.evaluation.evaluate import EvaluationError
    from pawsight.evaluation.report import Report
    from pawsight.evaluation.summary import summary
    from pawsight.images.errors import ImageError

    check_target(json_file, labels, '{\n "data":')
    check_target(html_file, labels, HTML_MARK)
    if record and (keep_seen or may_lose is not None or len(model or []) > 1):
        fail(
            "a card has the figures of its own model, threshold and unseen pictures: --record "
            "takes no --keep-seen, no --may-lose and one --model"
        )
    models = _load(model or [options.DEFAULT_MODEL], may_lose)
    if record:
        with made(models[0].folder.path):  # which it is; seen to take a card
            pass
    table = read_labels(
        labels,
        images,
        path_column=path_column,
        label_column=label_column,
        classes=classes or sorted({c for each in models for c in each.card.labels}),
        min_per_class=1,
    )
    _check_known(table.classes, models)
    if table.problems:
        typer.echo(table.summary(), err=True)
    split = split or ("test" if "split" in table.frame else "all")
    rows = rows_of(table.frame, split, test_every)
    parents = _parents(models)
    seen, unseen = _seen(rows, models)
    if not keep_seen:
        rows = _without_seen(rows, unseen, parents)
    data = record or f"{labels or images}, {split}"
    with refusing(EvaluationError, ImageError, OSError):
        results = [_measure(each, rows, data) for each in models]
    report = Report(data, rows, results, [each.size for each in models], seen, parents, keep_seen)
    typer.echo(summary(report))
    with refusing(OSError):
        if json_file:
            json_file.write_text(
                json.dumps(report.as_dict(mistakes), indent=1) + "\n", encoding="utf-8"
            )
        if html_file:
            from pawsight.evaluation.page import render_page

            html_file.write_text(render_page(report), encoding="utf-8")
    if record:
        from pawsight.training.cards import record as write_record

        with refusing(OSError):
            write_record(models[0].folder, results[0].measurement())


def _load(names: list[str], may_lose: float | None) -> list[Model]:
    from pawsight.inference.catalog import Loader, resolve
    from pawsight.inference.errors import ModelError

    with refusing(ModelError):
        loader = Loader()
        models = [loader.load(resolve(name), may_lose) for name in names]
    called = [each.reference.name for each in models]
    for name in called:
        if called.count(name) > 1:
            fail(f"two of the models are called {name!r}: give their folders different names")
    return models


def _check_known(classes: Sequence[str], models: list[Model]) -> None:
    """Refuse before the work what only some of the models could answer."""
    for each in models:
        if unknown := set(classes) - set(each.card.labels):
            fail(
                f"{each.reference.name} does not know {', '.join(sorted(unknown))}; --classes "
                f"{','.join(each.card.labels)} measures on what it knows"
            )


def _measure(model: Model, rows: pd.DataFrame, data: str) -> Evaluation:
    from pawsight.evaluation.evaluate import evaluate as measure

    with counting(f"asking {model.reference.name}", len(rows)) as advance:
        return measure(
            model,
            rows["path"].tolist(),
            rows["label"].tolist(),
            data=data,
            progress=advance,
        )


def _parents(models: list[Model]) -> dict[str, str]:
    """Of the models that are a new head, what they are one on."""
    from pawsight.evaluation.seen import parents

    found = {
        each.reference.name: " and ".join(parents([member.folder for member in each.members]))
        for each in models
    }
    return {name: parent for name, parent in found.items() if parent}


def _seen(
    rows: pd.DataFrame, models: list[Model]
) -> tuple[dict[str, int | None], NDArray[np.bool_]]:
    """How many pictures each model was trained on, and which ones none of them was."""
    import numpy as np

    from pawsight.data.duplicates import hash_files
    from pawsight.evaluation.seen import read_seen, was_seen
    from pawsight.images.errors import ImageError

    with refusing(ImageError, OSError), of_total("looking for seen pictures") as progress:
        hashes = hash_files(rows["path"].tolist(), progress)
    counts: dict[str, int | None] = {}
    unseen = np.ones(len(rows), dtype=bool)
    for model in models:
        seen = read_seen([each.folder for each in model.members])
        name = model.reference.name
        counts[name] = None
        if seen is not None:
            found = was_seen(hashes, seen)
            counts[name] = int(found.sum())
            unseen &= ~found
    return counts, unseen


def _without_seen(
    rows: pd.DataFrame, unseen: NDArray[np.bool_], parents: dict[str, str]
) -> pd.DataFrame:
    """The pictures that no model was trained on; ends the program where there is none."""
    if not unseen.any():
        heads = "".join(
            f", or in that of {parent} whose network {name} has" for name, parent in parents.items()
        )
        fail(
            f"all {len(rows)} pictures were in training{heads}; --keep-seen measures on them all "
            "the same"
        )
    left: pd.DataFrame = rows.loc[unseen].reset_index(drop=True)
    return left
