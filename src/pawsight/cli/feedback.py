"""``pawsight feedback``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pawsight.cli import recorded
from pawsight.cli.common import check_folder, check_no_stream, fail, refusing
from pawsight.plurals import counted

if TYPE_CHECKING:
    from pawsight.records.pictures import Pictures
    from pawsight.records.record import ToReview

app = typer.Typer(
    help="What people said of the service's answers, and what they should look at.",
    no_args_is_help=True,
)


@app.command()
def export(
    output: Annotated[Path, typer.Option(help="The table to write (CSV), which must be new.")],
    images: Annotated[
        Path | None,
        typer.Option(help="Folder to copy the pictures into; the table's paths start from it."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model whose classes the table is to be about, by name or by the path of its "
            "folder; needed where feedback is about models of different classes."
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Write it anew; what is there is kept as a backup."),
    ] = False,
    records: recorded.Records = "sqlite",
    pictures_dir: recorded.PicturesDir = None,
) -> None:
    """Write a table of pictures and right labels, for `pawsight train --labels`.

    Each picture whose right label was said and which is kept is in it once, with what was said
    last. What was said of the answers of models that tell other classes apart is not in it.
    """
    from pawsight.bulk.output import kept_as_backup
    from pawsight.records.export import write_table

    check_no_stream(output)
    taken = os.path.lexists(output)
    if taken and not output.is_file():
        fail(f"{str(output)!r} is no file: name a new one")
    if taken and not overwrite:
        fail(
            f"{str(output)!r} is there already: --overwrite keeps it as a backup; or name a new "
            "file"
        )
    check_folder(output)
    with refusing(OSError):
        found = recorded.corrections(records, pictures_dir, lambda kinds: _classes(model, kinds))
        if taken:
            backup = kept_as_backup(output)
            typer.echo(f"pawsight: what was there is {str(backup)!r} now", err=True)
        write_table(found.rows, output, images)
    typer.echo(f"{counted(len(found.rows), 'picture')} in {output}")


def _classes(model: str | None, kinds: dict[frozenset[str], list[str]]) -> frozenset[str]:
    """Those of the model that is named; without one, the only ones that feedback is about."""
    if model is not None:
        return _known_by(model, kinds, "feedback is about")
    if len(kinds) > 1:
        words = "feedback is about models of different classes: name one with --model"
        fail(f"{words}: {_listed(kinds)}")
    return next(iter(kinds), frozenset())


def _known_by(model: str, kinds: dict[frozenset[str], list[str]], what: str) -> frozenset[str]:
    """The classes of a model that is named; `what` there is besides is told where there is none."""
    from pawsight.inference.catalog import resolve
    from pawsight.inference.errors import ModelError, UnknownModel

    try:
        found = resolve(model)
    except UnknownModel as error:  # here; the service may have it from a folder
        for classes, names in kinds.items():
            if model in names:
                return classes
        fail(f"{error}; {what} {_listed(kinds) or 'none'}")
    with refusing(ModelError):
        return frozenset(found.described()[0].card.labels)


def _listed(kinds: dict[frozenset[str], list[str]]) -> str:
    return "; ".join(
        f"{', '.join(names)} ({', '.join(sorted(classes))})" for classes, names in kinds.items()
    )


@app.command()
def queue(
    limit: Annotated[int, typer.Option(min=1, help="The most pictures.")] = 20,
    model: Annotated[
        str | None,
        typer.Option(help="Only what this model, and others of the same classes, answered."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
    records: recorded.Records = "sqlite",
    pictures_dir: recorded.PicturesDir = None,
) -> None:
    """List the pictures that nothing was said of, those first whose right answer teaches most.

    First come those about which models that know the same labels disagree, then those of the
    smallest margin.
    """
    from pawsight.records.errors import Unavailable
    from pawsight.records.review import models_by_classes, to_review

    with recorded.opened(records, pictures_dir) as (database, pictures), refusing(Unavailable):
        classes = None
        if model is not None:
            there = database.read(models_by_classes)
            names = {known: sorted({name for name, _ in each}) for known, each in there.items()}
            classes = _known_by(model, names, "there are answers of")
        items = database.read(lambda connection: to_review(connection, limit, classes))
    if as_json:
        for item in items:
            typer.echo(json.dumps(_told(item, pictures), ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "time", "answers", "margin", "picture", box=None)
    for item in items:
        first, told = item.answers[0], _told(item, pictures)
        answers = ", ".join(f"{each['model']}: {each['label']}" for each in told["answers"])
        time = f"{first.time:%Y-%m-%d %H:%M}"
        table.add_row(first.id, time, answers, f"{first.margin:.3f}", told["picture"] or "not kept")
    Console(width=1000, soft_wrap=True, markup=False).print(table)


def _told(item: ToReview, pictures: Pictures) -> dict[str, Any]:
    first = item.answers[0]
    path = pictures.find(first.digest)
    return {
        "id": first.id,
        "time": first.time.isoformat(),
        "digest": first.digest,
        "disagree": item.disagree,
        "margin": first.margin,
        "answers": [
            {
                "id": each.id,
                "model": str(each.prediction.model),
                "label": each.prediction.label,
                "confidence": each.prediction.confidence,
            }
            for each in item.answers
        ],
        "picture": None if path is None else str(path),
    }
