"""The service's record, as commands open it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsight.cli.common import fail, refusing

if TYPE_CHECKING:
    from pawsight.records.database import Database
    from pawsight.records.export import Corrections
    from pawsight.records.pictures import Pictures

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


@contextmanager
def opened(records: str, pictures_dir: Path | None) -> Iterator[tuple[Database, Pictures]]:
    """The record and its kept pictures; exit code 2 with words where they cannot be opened."""
    from sqlalchemy.exc import DBAPIError

    from pawsight.extras import ExtraMissing
    from pawsight.records.database import Database
    from pawsight.records.errors import Unavailable, words_of
    from pawsight.records.pictures import Pictures
    from pawsight.records.place import find
    from pawsight.records.schema import CURRENT, version

    try:
        place = find(records, pictures_dir)
    except ExtraMissing as error:
        fail(str(error))
    except ValueError as error:
        fail(f"--records: {error}")
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


def corrections(
    records: str,
    pictures_dir: Path | None,
    choose: Callable[[dict[frozenset[str], list[str]]], Collection[str]],
) -> Corrections:
    """What was said of pictures; says of how many nothing can be learned.

    Args:
        records: As the service's setting.
        pictures_dir: Likewise.
        choose: Which classes it is to be about, given those of the models of whose answers
            something was said, with the models' names.
    """
    from pawsight.records.errors import Unavailable
    from pawsight.records.export import corrections as read
    from pawsight.records.export import kinds

    with opened(records, pictures_dir) as (database, pictures), refusing(Unavailable):
        classes = choose(database.read(kinds))
        found = database.read(lambda connection: read(connection, pictures, classes))
    left_out = {
        f"about other classes than {', '.join(sorted(classes))}": found.of_others,
        "without their picture (send it with the feedback)": found.without_picture,
        "said to be wrong and not what would be right": found.only_wrong,
    }
    for why, number in left_out.items():
        if number:
            typer.echo(f"left out: {number} {why}", err=True)
    return found
