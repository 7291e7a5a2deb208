"""A training's process, which may outlive the service that began it.

The process holds a lock of its job's folder as long as it lives. So a service that was killed and
started again can tell whether a training still runs, and end it: as long as the lock is held, its
process group is there, and no other can have its number.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pawsight.jobs.progress import LOG

PATIENCE: Final = 10.0
"""Seconds that a training has to end when it is told to."""

_LOCK: Final = "lock"
_PID: Final = "pid"
_TICK: Final = 0.05


class Process:
    """The training of one job, begun here or found.

    Args:
        folder: Of the job.
        begun: The process, if it was begun by this service.
    """

    def __init__(self, folder: Path, begun: subprocess.Popen[bytes] | None = None) -> None:
        self._folder = folder
        self._begun = begun

    @classmethod
    def begin(cls, folder: Path, command: Sequence[str], env: Mapping[str, str]) -> Process:
        """Start a training that answers to nobody's terminal, behind everything else.

        Raises:
            OSError: It cannot be started, or one runs already.
        """
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (folder / _PID).unlink(missing_ok=True)  # of the one before
            with (folder / LOG).open("ab") as log:
                begun = subprocess.Popen(  # noqa: S603 - no word of a client's but a checked name
                    command,
                    cwd=folder,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        finally:
            os.close(lock)  # of which the training has its own
        try:
            (folder / _PID).write_text(str(begun.pid), encoding="utf-8")
            os.setpriority(os.PRIO_PGRP, begun.pid, 10)
        except OSError:  # it would run on, and nobody could end it
            begun.kill()
            begun.wait()
            raise
        return cls(folder, begun)

    @property
    def runs(self) -> bool:
        """Whether it still does."""
        if self._begun is not None and self._begun.poll() is not None:
            return False
        with try_lock(self._folder / _LOCK) as free:
            return not free

    @property
    def exit_code(self) -> int | None:
        """Once it has ended; None where another service began it."""
        return self._begun.poll() if self._begun else None

    def stop(self) -> None:
        """End it, and wait until it has."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.runs:
                break
            self._signal(number)
            deadline = time.monotonic() + PATIENCE
            while self.runs and time.monotonic() < deadline:
                time.sleep(_TICK)
        if self._begun is not None:
            self._begun.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            group = int((self._folder / _PID).read_text(encoding="utf-8"))
            os.killpg(group, number)
        except (OSError, ValueError):  # it has just ended; or it was begun a moment ago by
            return  # a service that was killed before it wrote the number


@contextmanager
def try_lock(file: Path) -> Iterator[bool]:
    """Whether nobody else holds a lock, which is held in the block if so.

    Raises:
        OSError: The file cannot be made.
    """
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)
