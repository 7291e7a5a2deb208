"""A database, opened: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from pawsight.records.errors import Unavailable
from pawsight.records.place import Place
from pawsight.records.schema import refuse_others

PATIENCE: Final = 2.0
"""Seconds to wait for a lock or for a connection."""


def open_engine(place: Place, *, writes: bool = False) -> Engine:
    """An engine for a place; nothing is connected to yet.

    Where SQLite's file is another program's, connecting raises
    :exc:`~pawsight.records.errors.Unavailable` and leaves it as it is.

    Args:
        place: Where.
        writes: Whether its transactions have the right to write from their beginning, one at a
            time. Else a transaction of SQLite that has read first is refused where another process
            has written meanwhile, without waiting.

    Raises:
        OSError: The folder of SQLite's file cannot be made.
    """
    size = {"pool_size": 1, "max_overflow": 0} if writes else {}
    pool: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_timeout": PATIENCE,
        "execution_options": {"pawsight_writes": writes},
        **size,
    }
    if place.url.startswith("sqlite"):
        if place.file is not None:
            place.file.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(place.url, connect_args={"timeout": PATIENCE}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    milliseconds = int(1000 * PATIENCE)
    return create_engine(
        place.url,
        pool_pre_ping=True,  # the server may have been started anew
        connect_args={
            "connect_timeout": int(PATIENCE),
            "options": f"-c lock_timeout={milliseconds} -c application_name=pawsight",
        },
        **pool,
    )


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
    # The driver would begin transactions by itself, and not before tables are made or changed.
    connection.isolation_level = None
    try:
        refuse_others(connection)  # first: the journal's mode is written into the file, for good
    except Unavailable:
        connection.close()
        raise
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pawsight_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
