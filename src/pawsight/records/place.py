"""Where records lie: what the setting says, without opening anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pawsight.extras import require
from pawsight.places import data_folder

EMBEDDED: Final = "sqlite"
"""The setting for a file in the user's data folder."""
OFF: Final = "off"
"""The setting for no records."""

_POSTGRES: Final = re.compile(r"(postgres|postgresql)(\+psycopg)?://")
_SQLITE: Final = re.compile(r"sqlite:///(?P<path>[^?]+)(?P<query>\?.*)?")
_OF_ITS_OWN: Final = re.compile(r"[?&]uri=(true|1|yes|on)(&|$)", re.IGNORECASE)
_HOW: Final = (
    "it must be `sqlite` (a file in the user's data folder), `sqlite:///FILE`, "
    "`postgresql://USER:PASSWORD@HOST/DATABASE`, or `off`"
)


@dataclass(frozen=True)
class Place:
    """A database, and the folder of kept pictures beside it.

    Attributes:
        url: For SQLAlchemy, with its driver; may hold a password.
        file: Of SQLite; None for a server, and for SQLite's own kind of addresses (``file:``).
        pictures: The folder; made when there is a picture to keep.
    """

    url: str
    file: Path | None
    pictures: Path

    def __repr__(self) -> str:
        kind = "SQLite" if self.url.startswith("sqlite") else "PostgreSQL"
        return f"<Place in {kind}>"


def check(setting: str) -> str:
    """The setting as it was given.

    Raises:
        ValueError: It names no place.
    """
    if setting in (EMBEDDED, OFF) or _POSTGRES.match(setting):
        return setting
    found = _SQLITE.fullmatch(setting)
    if found is None:
        raise ValueError(_HOW)
    own = found["path"].startswith("file:")
    if own != bool(_OF_ITS_OWN.search(found["query"] or "")) or (found["query"] and not own):
        raise ValueError(
            "`sqlite:///FILE` takes no parameters after a `?`; those of SQLite's own addresses are "
            "given as `sqlite:///file:FILE?mode=ro&uri=true`"
        )
    return setting


def find(setting: str, pictures: Path | None = None) -> Place | None:
    """The place that a setting names; None where there is to be none.

    Args:
        setting: ``sqlite``, ``sqlite:///FILE``, ``postgresql://…``, or ``off``.
        pictures: The folder of kept pictures; by default ``pictures`` beside the file of SQLite,
            or in the user's data folder.

    Raises:
        ValueError: It names no place.
        ExtraMissing: It names PostgreSQL, whose driver is not installed.
    """
    if check(setting) == OFF:
        return None
    if setting == EMBEDDED:
        file = data_folder() / "records.db"
        return Place(f"sqlite:///{file}", file, pictures or file.parent / "pictures")
    if found := _SQLITE.match(setting):
        if found["path"].startswith("file:"):
            return Place(setting, None, pictures or data_folder() / "pictures")
        file = Path(found["path"])
        return Place(setting, file, pictures or file.parent / "pictures")
    require("postgres", "a record in PostgreSQL")
    url = _POSTGRES.sub("postgresql+psycopg://", setting, count=1)
    return Place(url, None, pictures or data_folder() / "pictures")
