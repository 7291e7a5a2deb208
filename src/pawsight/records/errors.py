"""Why nothing can be recorded, in words that may be told to anybody."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "the database fails; the service's log says how"
ANOTHERS: Final = (
    "the database holds tables of another program: name one that is pawsight's alone, or a new file"
)
_WORDS: Final = (
    # What the drivers and the pool say, and what we do.
    ("queuepool limit", "the database is asked too much at once"),
    ("database is locked", "the database is locked by another program"),
    ("database table is locked", "the database is locked by another program"),
    ("lock timeout", "the database is locked by another program"),
    ("readonly database", "the database is read-only"),
    ("read-only transaction", "the database is read-only"),
    ("read-only file system", "the database is read-only"),
    ("permission denied", "the database may not be written by this service"),
    ("database or disk is full", "the disk is full"),
    ("no space left", "the disk is full"),
    ("disk i/o error", "the disk of the database fails"),
    ("not a database", "the file is no SQLite database, or a damaged one"),
    ("malformed", "the database is damaged"),
    ("unable to open", "the database cannot be opened"),
    ("authentication failed", "the database does not let this service in"),
    ("already exists", ANOTHERS),
    ("column", ANOTHERS),  # is not there, or not as ours is
    ("does not exist", "the database is not there"),
    ("connection", "the database does not answer"),
    ("no such table", "the database was replaced while the service ran"),
)


class Unavailable(Exception):
    """Nothing can be recorded or read now; the words say why."""


class NewerSchema(Unavailable):
    """The database was made by a newer pawsight.

    Args:
        there: Its schema.
        known: The newest that this code knows.
    """

    def __init__(self, there: str, known: str) -> None:
        super().__init__(
            f"the database was made by a newer pawsight (its schema is {there}, this one knows "
            f"{known}): run that one, or name another database"
        )


def words_of(error: Exception) -> str:
    """What an error of the database, or of its disk, means."""
    if isinstance(error, Unavailable):
        return str(error)
    said = str(getattr(error, "orig", None) or error).lower()
    for part, words in _WORDS:
        if part in said:
            return words
    return UNKNOWN
