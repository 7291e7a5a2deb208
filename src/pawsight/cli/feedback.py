"""``pawsight feedback``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pawsight.cli.common import fail, refusing

if TYPE_CHECKING:
    from pawsight.records.database import Database
    from pawsight.records.pictures import Pictures
    from pawsight.records.record import ToReview

app = typer.Typer(
    help="What people said of the service's answers, and what they should look at.",
    no_args_is_help=True,
)

Records = Annotated[
    str,
    typer.Option(
        envvar="PAWSIGHT_RECORDS",
        show_envvar=False,
        help="The service's records: `sqlite` in the user's data folder, or an address as in "
        "PAWSIGHT_RECORDS.",
    ),
]
PicturesDir = Annotated[
    Path | None,
    typer.Option(
        envvar="PAWSIGHT_PICTURES_DIR",
        show_envvar=False,
        help="The folder of kept pictures, if it is not the one beside the records.",
    ),
]


@app.command()
def export(
    output: Annotated[Path, typer.Option(help="The table to write (CSV).")],
    images: Annotated[
        Path | None,
        typer.Option(help="Folder to copy the pictures into; the table's paths start from it."),
    ] = None,
    records: Records = "sqlite",
    pictures_dir: PicturesDir = None,
) -> None:
    """Write a table of pictures and right labels, for `pawsight train --labels`.

    Each picture whose right label was said and which is kept is in it once, with what was said
    last.
    """
    from pawsight.records.errors import Unavailable
    from pawsight.records.export import export as write

    with _opened(records, pictures_dir) as (database, pictures), refusing(Unavailable, OSError):
        done = database.read(lambda connection: write(connection, pictures, output, images))
    left_out = {
        "without their picture (send it with the feedback)": done.without_picture,
        "said to be wrong and not what would be right": done.only_wrong,
    }
    typer.echo(f"{done.rows} pictures in {output}")
    for why, number in left_out.items():
        if number:
            typer.echo(f"left out: {number} {why}", err=True)


@app.command()
def queue(
    limit: Annotated[int, typer.Option(min=1, help="The most pictures.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
    records: Records = "sqlite",
    pictures_dir: PicturesDir = None,
) -> None:
    """List the pictures that nothing was said of, those first whose right answer teaches most.

    First come those about which models disagree, then those of the smallest margin.
    """
    from pawsight.records.errors import Unavailable
    from pawsight.records.review import to_review

    with _opened(records, pictures_dir) as (database, pictures), refusing(Unavailable):
        items = database.read(lambda connection: to_review(connection, limit))
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
    Console(width=200, soft_wrap=True).print(table)


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


@contextmanager
def _opened(records: str, pictures_dir: Path | None) -> Iterator[tuple[Database, Pictures]]:
    from sqlalchemy.exc import DBAPIError

    from pawsight.extras import ExtraMissing
    from pawsight.records.database import Database
    from pawsight.records.errors import Unavailable, words_of
    from pawsight.records.pictures import Pictures
    from pawsight.records.place import find
    from pawsight.records.schema import CURRENT, version

    with refusing(ValueError, ExtraMissing):
        place = find(records, pictures_dir)
    if place is None:
        fail("records are off (PAWSIGHT_RECORDS): name those of the service with --records")
    if place.file is not None and not place.file.is_file():
        fail(f"nothing is recorded in {place.file}: no service has run with these records")
    try:
        database = Database(place)
        if database.read(version) != CURRENT:
            database.prepare()
    except Unavailable as error:
        fail(str(error))
    except (DBAPIError, OSError) as error:
        fail(words_of(error))
    try:
        yield database, Pictures(place.pictures)
    finally:
        database.close()
