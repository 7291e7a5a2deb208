"""Writes answers in the background: one thread, in batches, never in the way of an answer."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from pawsight.records.errors import UNKNOWN, Unavailable, words_of
from pawsight.records.keeping import DEFAULT_BOUNDS, Bounds, State, Status
from pawsight.records.pictures import Pictures
from pawsight.records.place import Place
from pawsight.records.record import Feedback, Record, Recorded, Said, ToReview
from pawsight.records.waiting import Waiting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pawsight.records.database import Database

log = logging.getLogger(__name__)

GATHER: Final = 0.25
"""Seconds that a batch grows, unless somebody waits for it."""
RETRY: Final = 1.0
"""Seconds until the database is tried again."""
_OPENING: Final = 5.0  # seconds that a reader waits for the database to be opened
_BATCH: Final = 500  # answers in a transaction
_TIDY: Final = 60.0  # seconds between looks for what is too old
_AT_ONCE: Final = 1000  # answers that a transaction deletes

Result = TypeVar("Result")
Write: TypeAlias = "Callable[[Connection], Result]"


class Recorder:
    """The record of one service.

    What was :meth:`put` is written within moments, unless the process dies before: only what
    :meth:`kept` or :meth:`answer` says to be on the disk is. While the database cannot be written,
    answers wait for it in memory, as many as :mod:`pawsight.records.waiting` says.

    Args:
        place: Of the database.
        bounds: What is kept.
        tell: Is called, by any thread, with how many answers were written and how many lost.
    """

    def __init__(
        self,
        place: Place,
        bounds: Bounds = DEFAULT_BOUNDS,
        tell: Callable[[int, int], object] = lambda _written, _lost: None,
    ) -> None:
        self.bounds = bounds
        self.pictures = Pictures(place.pictures)
        self._place = place
        self._tell = tell
        self._waiting = Waiting()
        self._jobs: deque[tuple[Write[Any], Future[Any]]] = deque()
        self._unwritable = 0
        self._reason: str | None = None
        self._pictures_reason: str | None = None
        self._database: Database | None = None
        self._readable = False
        self._tidy_at = 0.0
        self._wake, self._hurry, self._closing = (threading.Event() for _ in range(3))
        self._tried = threading.Event()  # to open the database
        self._thread = threading.Thread(target=self._work, name="records", daemon=True)

    def start(self) -> None:
        """Open the database, in the background and a moment later, and begin to write."""
        self._wake.set()
        self._thread.start()

    def close(self) -> None:
        """Write what waits, if it can be written, and stop."""
        if self._thread.ident is None:  # it was never started
            return
        for event in (self._closing, self._wake, self._hurry):
            event.set()
        self._thread.join()
        if left := self.status.waiting:
            log.warning("%d answers were not recorded: %s", left, self._reason)

    @property
    def status(self) -> Status:
        """How it is doing now."""
        state: State = "not-written" if self._reason else "written"
        if not self._readable and not self._reason:
            state = "starting"
        return Status(
            state,
            self._reason or self._pictures_reason,
            len(self._waiting),
            self._waiting.dropped + self._unwritable,
        )

    def put(self, record: Record) -> bool:
        """Have an answer written; for the event loop, which waits for nothing here.

        Returns:
            Whether it will be, as far as is known: there may be too many that wait.
        """
        if not self._waiting.put(record):
            self._tell(0, 1)
            return False
        if not self._wake.is_set():
            self._wake.set()
        return True

    def write(self, write: Write[Result]) -> Future[Result]:
        """Have something written after all that was put before; done when it is on the disk.

        Args:
            write: Writes, in a transaction of its own.

        Returns:
            With what it returns or raises; with Unavailable where the database cannot be written.
        """
        done: Future[Result] = Future()
        self._jobs.append((write, done))
        self._wake.set()
        self._hurry.set()
        return done

    def kept(self, id_: str) -> Future[bool]:
        """Whether an answer is on the disk, once all that was put before was written.

        Returns:
            With that; with Unavailable where the database cannot be written.
        """

        def look(connection: Connection) -> bool:
            from pawsight.records.store import has_answer

            return has_answer(connection, id_)

        return self.write(look)

    def say(self, said: Said, picture: bytes | None) -> Future[Feedback]:
        """Write what is said of an answer, and keep its picture if it came with it.

        Returns:
            What holds now, once it is on the disk; or UnknownRecord, UnknownLabel, OtherPicture,
            Unavailable.
        """

        def write(connection: Connection) -> Feedback:
            from pawsight.records.feedback import say

            return say(connection, said, picture, self.pictures)

        return self.write(write)

    def answer(self, id_: str) -> Recorded:
        """The answer of an id; blocks.

        Raises:
            UnknownRecord: It is not on the disk.
            Unavailable: The database cannot be read.
        """
        from pawsight.records.store import read_answer

        return self.read(lambda connection: read_answer(connection, id_))

    def to_review(self, limit: int, classes: Collection[str] | None = None) -> list[ToReview]:
        """The pictures that people should look at first, of models of these classes; blocks.

        Raises:
            Unavailable: The database cannot be read.
        """
        from pawsight.records.review import to_review

        return self.read(lambda connection: to_review(connection, limit, classes))

    def decided(self, limit: int, digest: str | None = None) -> list[Recorded]:
        """The answers of which something was said, or those about a picture; blocks.

        The latest come first.

        Raises:
            Unavailable: The database cannot be read.
        """
        from pawsight.records.store import decided

        return self.read(lambda connection: decided(connection, limit, digest))

    def read(self, read: Callable[[Connection], Result]) -> Result:
        """Read something; blocks.

        Raises:
            Unavailable: The database cannot be read.
        """
        self._tried.wait(_OPENING)
        if not self._readable or self._database is None:
            raise Unavailable(self._reason or "the database is still being opened")
        return self._database.read(read)

    def _work(self) -> None:
        closing = False
        while not closing:
            self._wake.wait(RETRY if self._reason else _TIDY)
            self._hurry.wait(RETRY if self._reason else GATHER)
            closing = self._closing.is_set()
            self._wake.clear()
            self._hurry.clear()
            # Before the answers: what was put before a job has to be written before it.
            jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
            try:
                self._write_answers()
            except Exception as error:  # noqa: BLE001 - whatever it is, answers must go on
                self._fail(error)
            self._tried.set()
            for write, done in jobs:
                self._do(write, done)
            if not self._reason and time.monotonic() >= self._tidy_at:
                self._tidy()
        if self._database is not None:
            self._database.close()

    def _write_answers(self) -> None:
        """Write all that waits.

        Raises:
            Exception: The database cannot be opened or written; what waits is kept.
        """
        database = self._opened()
        while True:
            self._waiting.fill(_BATCH)
            batch = self._waiting.batch
            if not batch:
                break
            self._keep_pictures(batch)
            lost = database.insert(batch)
            self._unwritable += lost
            self._waiting.batch = []
            self._tell(len(batch) - lost, lost)
        if self._reason:
            log.info("answers are recorded again")
        self._reason = None

    def _opened(self) -> Database:
        if self._database is None:
            # Imported here, so that a service which starts does not wait for SQLAlchemy.
            from pawsight.records.database import Database

            self._database = Database(self._place)
        if self._reason or not self._readable or self._database.was_replaced():
            self._database.prepare()
            self._readable = True
            self._database.prove_writable()
        return self._database

    def _keep_pictures(self, batch: list[Record]) -> None:
        for number, record in enumerate(batch):
            if record.picture is None:
                continue
            self._waiting.without_picture(number)
            try:
                self.pictures.keep(record.digest, record.picture)
                self._pictures_reason = None
            except OSError as error:
                if not self._pictures_reason:
                    log.warning("pictures cannot be kept: %s", error)
                self._pictures_reason = f"pictures cannot be kept: {words_of(error)}"

    def _do(self, write: Write[Result], done: Future[Result]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        if self._reason or self._database is None:
            done.set_exception(Unavailable(self._reason))
            return
        try:
            done.set_result(self._database.write(write))
        except Exception as error:  # noqa: BLE001 - it is for the one who waits
            done.set_exception(error)

    def _tidy(self) -> None:
        """Delete what is too old or too much: a part now, the rest in the next rounds."""
        if self._database is None:
            return
        try:
            removed, digests = self._database.remove_old(
                self.bounds.days or None, self.bounds.answers or None, _AT_ONCE
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, answers must go on
            self._fail(error)
            return
        for digest in digests:
            try:
                self.pictures.remove(digest)
            except OSError as error:
                log.warning("the picture of an old answer cannot be deleted: %s", error)
        more = removed == _AT_ONCE
        self._tidy_at = time.monotonic() + (0 if more else _TIDY)
        if more:
            self._wake.set()

    def _fail(self, error: Exception) -> None:
        words = words_of(error)
        if words != self._reason:
            unknown = error if words == UNKNOWN else None
            log.warning("answers are not recorded: %s", words, exc_info=unknown)
        self._reason = words
