"""Which schema a database has, and the way from there to the one that this code knows."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from pawsight.records.errors import ANOTHERS, NewerSchema, Unavailable
from pawsight.records.tables import Base

CURRENT: Final = "0001"
"""The schema that this code knows: the last of the migrations."""

_NUMBER: Final = re.compile(r"[0-9]{4}")  # ours; what alembic chooses has twelve digits
_VERSIONS: Final = "alembic_version"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def version(connection: Connection) -> str | None:
    """The schema's number; None where there is none yet."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def refuse_others(connection: sqlite3.Connection) -> None:
    """Refuse a file that is not ours alone; only reads.

    In PostgreSQL, tables of others beside ours are usual; a file that holds some and none of ours
    was named by mistake.

    Args:
        connection: To a file of SQLite, in no transaction.

    Raises:
        NewerSchema: It is of a schema that this code does not know.
        Unavailable: It is another program's.
        sqlite3.Error: It cannot be read.
    """
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    ).fetchall()
    names = {name for (name,) in found if not name.startswith("sqlite_")}
    there = None
    if _VERSIONS in names:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        there = None if row is None else str(row[0])
    _refuse_unknown(there)
    if there is None and names - {_VERSIONS}:
        raise Unavailable(ANOTHERS)
    if there == CURRENT:  # which other programs may have, too
        for table in Base.metadata.sorted_tables:
            columns = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
            if not {each.name for each in table.columns} <= {name for _, name, *_ in columns}:
                raise Unavailable(ANOTHERS)


def bring_up_to_date(connection: Connection) -> None:
    """Migrate a schema that is older, or not there yet; within the connection's transaction.

    Raises:
        NewerSchema: It is one that this code does not know.
        Unavailable: It is another program's.
        SQLAlchemyError: Tables cannot be made, as where others have their names.
    """
    there = version(connection)
    if there == CURRENT:
        return
    _refuse_unknown(there)
    # Where all is as it should be, alembic is not even imported.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, CURRENT)


def prove_writable(connection: Connection) -> None:
    """Write something that changes nothing.

    Raises:
        SQLAlchemyError: It cannot be written, as in a database that is read-only.
    """
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _refuse_unknown(there: str | None) -> None:
    if there is not None and not _NUMBER.fullmatch(there):
        raise Unavailable(ANOTHERS)
    if there is not None and there > CURRENT:
        raise NewerSchema(there, CURRENT)
