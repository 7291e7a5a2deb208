"""A journal: JSON lines that are appended to, and gone on with however their writer ended."""

from __future__ import annotations

import json
import os
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from pawsight.bulk.digests import Digests, digest, place_in
from pawsight.bulk.items import Item
from pawsight.bulk.rows import Row, is_row, line

try:
    import fcntl
except ImportError:  # on Windows, where nothing keeps two runs apart
    fcntl = None  # type: ignore[assignment]

_FLUSH_SECONDS: Final = 1.0
_NONE: Final = 2**64 - 1
_LATEST: Final = 32  # folders that are remembered, as pictures of one come together
_ANSWERED, _FAILED, _STALE, _UNREAD, _GONE, _ASKED = range(6)
"""Holds; holds and has an error; stays until its picture is asked again, as it was answered
otherwise than now, or as it has an error that may pass or names another limit; is to be taken out;
is to be taken out, as its picture was asked again in this run."""


class NotOurs(ValueError):
    """A file that no run of classify wrote."""


class Journal:
    """Records on the disk, one a line.

    Of each record that is there it keeps 25 bytes in memory: digests of the name and of the file's
    fingerprint, the line, and what became of it. A picture that changed since, or whose record does
    not hold, is answered again when it is met, and its old record is taken out at the end; of one
    that is not met, the record stays. A picture that is met twice is answered once: of each that is
    new, 8 bytes are kept, the digest of its name.

    Args:
        file: The journal; made if it is not there.
        good: Whether a record that is there still holds, as far as it can be told without its file.

    Attributes:
        torn: Whether the last line was cut short, and was taken away.
        changed: How many files were met that are not what they were when they were answered.

    Raises:
        NotOurs: The file holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, file: Path, good: Callable[[Row], bool]) -> None:
        self.file = file
        self.torn = False
        self.changed = 0
        self._states = bytearray()  # by line
        names, prints = array("Q"), array("Q")
        self._stream: BinaryIO = file.open("a+b")
        try:
            _lock(self._stream, file)
            for row in self._rows():
                names.append(digest(row["path"]) if row else _NONE)
                prints.append(_print(row["size"], row["modified"]) if row else _NONE)
                self._states.append(_state(row, good))
        except BaseException:
            self._stream.close()
            raise
        self._index(np.frombuffer(names, np.uint64), np.frombuffer(prints, np.uint64))
        self._had_trouble = self.unread > 0
        self._new = Digests()
        self._readable: deque[str] = deque(maxlen=_LATEST)
        self._flushed = monotonic()

    def _rows(self) -> Iterator[Row | None]:
        """Each line's record, None where it is none; the last line, if it was cut short, goes."""
        self._stream.seek(0)
        whole = 0
        for text in self._stream:
            row = _row(text)
            if whole == 0 and row is None:
                _refuse_others(self.file, text)
            if not text.endswith(b"\n"):
                self.torn = True
                self._stream.truncate(whole)
                return
            whole += len(text)
            yield row

    def _index(self, names: NDArray[np.uint64], prints: NDArray[np.uint64]) -> None:
        """Sort what is there by name; of two with the same, the later holds."""
        self._lines = np.argsort(names, kind="stable")
        self._names, self._prints = names[self._lines], prints[self._lines]
        again = (self._names[1:] == self._names[:-1]) & (self._names[1:] != _NONE)
        for number in self._lines[:-1][again].tolist():
            self._states[number] = _GONE

    @property
    def answered(self) -> int:
        """How many records of earlier runs hold and have no error."""
        return self._states.count(_ANSWERED)

    @property
    def failed(self) -> int:
        """How many records of earlier runs hold and have an error."""
        return self._states.count(_FAILED)

    @property
    def stale(self) -> int:
        """How many records of earlier runs do not hold, and were not met so far."""
        return self._states.count(_STALE) + self.unread

    @property
    def unread(self) -> int:
        """How many of these have an error that may pass."""
        return self._states.count(_UNREAD)

    def has(self, item: Item) -> bool:
        """Whether the item, as it is now, has a record that holds, or was asked in this run."""
        self._forget_trouble_around(item.name)
        name = digest(item.name)
        place = place_in(self._names, name)
        if place is None:
            return self._is_met_again(name)
        number = int(self._lines[place])
        if self._states[number] == _ASKED:
            return True
        if self._states[number] in (_ANSWERED, _FAILED):
            try:
                now = item.fingerprint()
            except OSError:
                now = None  # asked again, for a record that says so
            if now and _print(now.size, now.modified) == int(self._prints[place]):
                return True
            self.changed += now is not None
        self._states[number] = _ASKED
        return False

    def _is_met_again(self, name: int) -> bool:
        if name in self._new:
            return True
        self._new.add(name)
        return False

    def _forget_trouble_around(self, name: str) -> None:
        """Folders and archives that could not be read, and of which something is met now.

        Where they still cannot be read on, that is said anew.
        """
        around = name.rpartition("/")[0]
        while self._had_trouble and around and around not in self._readable:
            self.forget_trouble_of(around)
            self._readable.append(around)
            around = around.rpartition("/")[0]

    def forget_trouble_of(self, name: str) -> None:
        """Something that held pictures could be looked through, or what is wrong was said anew."""
        place = place_in(self._names, digest(name)) if self._had_trouble else None
        if place is not None and self._states[self._lines[place]] == _UNREAD:
            self._states[self._lines[place]] = _GONE

    def write(self, row: Row) -> None:
        """Append a record.

        Raises:
            OSError: The disk is full, say. What was written before stays.
        """
        self._stream.write(line(row).encode())
        if monotonic() - self._flushed > _FLUSH_SECONDS:
            self._stream.flush()
            self._flushed = monotonic()

    def close(self) -> None:
        """Write what is still held, and let other runs write."""
        self._stream.close()

    def tidy(self) -> None:
        """Take out the records of what was asked again, and write what is still held."""
        self._stream.flush()
        if _GONE not in self._states and _ASKED not in self._states:
            return
        self._stream.seek(0)
        fresh = self.file.with_name(f"{self.file.name}.fresh")
        with ExitStack() as undo:
            undo.callback(fresh.unlink, missing_ok=True)
            target = undo.enter_context(fresh.open("w+b"))
            _lock(target, fresh)  # before it has the name by which other runs find it
            for number, text in enumerate(self._stream):
                if number >= len(self._states) or self._states[number] < _GONE:
                    target.write(text)
            target.flush()
            os.fsync(target.fileno())
            fresh.replace(self.file)
            undo.pop_all()
        self._stream.close()
        self._stream = target

    def remove(self) -> None:
        """Remove the file, and close."""
        if fcntl is None:  # Windows removes nothing that is open
            self.close()
        self.file.unlink()
        self.close()


def _lock(stream: BinaryIO, file: Path) -> None:
    """Keep other runs from writing to a file, until it is closed, however that comes.

    Raises:
        NotOurs: One does, or did so until now, and has put another in its place.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(stream.fileno()), file.stat()):
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    raise NotOurs(f"another run is writing to {str(file)!r}: let it end first")


@contextmanager
def alone(file: Path) -> Iterator[BinaryIO]:
    """A file to append to, which no other run writes to meanwhile.

    Raises:
        NotOurs: One does.
        OSError: It cannot be opened.
    """
    with file.open("a+b") as stream:
        _lock(stream, file)
        yield stream


@contextmanager
def undisturbed(file: Path) -> Iterator[None]:
    """Keep other runs from writing to a file, if there is one, while it is given another name.

    Raises:
        NotOurs: One does.
        OSError: It cannot be opened.
    """
    if fcntl is None or not file.is_file():  # Windows renames nothing that is open
        yield
        return
    with alone(file):
        yield


def rename(stream: BinaryIO, file: Path, to: Path) -> None:
    """Give the file of :func:`alone`, when it is on the disk, the place of another."""
    stream.flush()
    os.fsync(stream.fileno())
    if fcntl is None:  # Windows renames nothing that is open
        stream.close()
    file.replace(to)


def told_nobody(torn: int, whole: int) -> None:
    """Tell nobody that a run was broken off."""


def rows_of(file: Path, torn: Callable[[int, int], None] = told_nobody) -> Iterator[Row]:
    """The records of a journal that nobody writes to.

    Args:
        file: The journal.
        torn: Told at the end of how many lines are no whole record, if any, and how many are one.

    Raises:
        NotOurs: It holds something else.
        OSError: It cannot be read.
    """
    broken = whole = 0
    with file.open("rb") as stream:
        for text in stream:
            if row := _row(text):
                whole += 1
                yield row
                continue
            if not broken + whole:
                _refuse_others(file, text)
            broken += 1
    if broken:
        torn(broken, whole)


def _refuse_others(file: Path, first: bytes) -> None:
    """Refuse a file whose first line is no record, nor the beginning of one."""
    if not first.startswith(b'{"path": '):
        raise NotOurs(f"{str(file)!r} was not written by pawsight classify")


def _state(row: Row | None, good: Callable[[Row], bool]) -> int:
    if row is None:
        return _GONE
    if not good(row):
        return _STALE if row["error"] is None else _UNREAD
    return _ANSWERED if row["error"] is None else _FAILED


def _row(text: bytes) -> Row | None:
    try:
        value = json.loads(text)
    except ValueError:  # cut short, or what a power cut left of a page
        return None
    return value if is_row(value) else None


def _print(size: int | None, modified: str | None) -> int:
    return digest(f"{size} {modified}")
