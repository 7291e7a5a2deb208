"""The database of a record: opened, brought up to date, written and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from pawsight.records.engine import open_engine
from pawsight.records.errors import Unavailable, words_of
from pawsight.records.place import Place
from pawsight.records.record import Record
from pawsight.records.schema import bring_up_to_date, prove_writable
from pawsight.records.store import insert_answers, now, remove_old

Result = TypeVar("Result")


class Database:
    """SQLite or PostgreSQL, for several threads.

    Args:
        place: Where; nothing is connected to yet.

    Raises:
        OSError: The folder of SQLite's file cannot be made.
    """

    def __init__(self, place: Place) -> None:
        self._file = place.file
        self._readers = open_engine(place)
        self._writers = open_engine(place, writes=True)  # which readers, however many, leave alone
        self._inode = 0

    def prepare(self) -> None:
        """Migrate the schema if it is older, or make it.

        Raises:
            Unavailable: It is newer, or another program's.
            SQLAlchemyError: The database cannot be written.
        """
        self.close()
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._writers.begin() as connection:
            bring_up_to_date(connection)
        if self._file is not None:
            self._inode = self._file.stat().st_ino

    def prove_writable(self) -> None:
        """Write something that changes nothing.

        Raises:
            SQLAlchemyError: The database cannot be written.
        """
        with self._writers.begin() as connection:
            prove_writable(connection)

    def was_replaced(self) -> bool:
        """Whether SQLite's file is another than the one that was prepared, or is gone."""
        if self._file is None:
            return False
        try:
            return self._file.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def insert(self, records: Sequence[Record]) -> int:
        """Write answers.

        Returns:
            How many of them the database will never take.

        Raises:
            SQLAlchemyError: It cannot be written now.
        """
        try:
            with self._writers.begin() as connection:
                insert_answers(connection, records)
        except (DataError, IntegrityError):
            if len(records) == 1:
                return 1
            return sum(self.insert([each]) for each in records)
        return 0

    def write(self, write: Callable[[Connection], Result]) -> Result:
        """Do something in a transaction that may write.

        Raises:
            Unavailable: The database cannot be written.
        """
        return _within(self._writers, write)

    def read(self, read: Callable[[Connection], Result]) -> Result:
        """Do something in a transaction that reads.

        Raises:
            Unavailable: The database cannot be read.
        """
        return _within(self._readers, read)

    def close(self) -> None:
        """Give the connections back."""
        self._readers.dispose()
        self._writers.dispose()

    def remove_old(self, days: float | None, most: int | None, limit: int) -> tuple[int, list[str]]:
        """Delete answers that are too old or too many; see :mod:`pawsight.records.store`.

        Raises:
            SQLAlchemyError: The database cannot be written.
        """
        before = None if days is None else now() - timedelta(days=days)
        with self._writers.begin() as connection:
            return remove_old(connection, before=before, most=most, limit=limit)


def _within(engine: Engine, do: Callable[[Connection], Result]) -> Result:
    """Do something in a transaction.

    Raises:
        Unavailable: The database cannot be asked.
    """
    try:
        with engine.begin() as connection:
            return do(connection)
    except (DBAPIError, NoConnection) as error:
        raise Unavailable(words_of(error)) from error
