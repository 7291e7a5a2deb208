"""Trainings whose service ends, in order or not, by a runner in a process of its own."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pawsight.inference.artifact import RUN_FOLDER
from pawsight.jobs.command import MODEL
from pawsight.jobs.job import Job, now, read_job, write_job
from pawsight.jobs.process import Process, try_lock
from pawsight.training.run import RunFolder

RUNNER = """
import signal, sys, time
from pathlib import Path
import pawsight.jobs.runner as runner

runner.command_of = lambda job, folder, pictures: ["sleep", "300"]
running = runner.Runner(Path(sys.argv[1]), None)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(running.close()))
running.start()
time.sleep(300)
"""
ID = "7" * 32
PATIENCE = 60.0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def asked(home: Path) -> Path:
    """A training that waits for its turn; its folder."""
    folder = home / "jobs" / ID
    folder.mkdir(parents=True)
    job = Job(id=ID, dataset=ID, name="mine", method="full", epochs=3, created=now())
    write_job(folder, job)
    return folder


def stands(folder: Path) -> Job:
    job = read_job(folder)
    assert job
    return job


def service(folder: Path, *, end: signal.Signals) -> bool:
    """A service that begins the training and is ended; with SIGKILL all at once is.

    Returns:
        Whether the training was begun, and not given up.
    """
    pid = folder / "pid"
    pid.unlink(missing_ok=True)
    command = [sys.executable, "-c", RUNNER, str(folder.parents[1])]
    with subprocess.Popen(command) as running:
        until(lambda: not stands(folder).is_open or (pid.exists() and pid.read_text() != ""))
        begun = stands(folder).is_open
        running.send_signal(end)
        running.wait(PATIENCE)
    if begun and end == signal.SIGKILL:
        os.killpg(int(pid.read_text()), signal.SIGKILL)
    return begun


def test_a_training_that_could_not_be_ended_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)  # of its number
    with pytest.raises(OSError, match="No space left"):
        Process.begin(tmp_path, ["sleep", "300"], os.environ)
    with try_lock(tmp_path / "lock") as free:
        assert free


def test_what_no_service_survives_is_given_up(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    begun = [service(folder, end=signal.SIGKILL) for _ in range(4)]
    assert begun == [True, True, True, False]
    ended = stands(folder)
    assert ended.state == "failed"
    assert ended.message == "broken off by the end of the service 3 times, and got no further"


def test_what_gets_further_each_time_is_not(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    last = RunFolder(folder / MODEL / RUN_FOLDER).last
    last.parent.mkdir(parents=True)
    for number in range(4):
        assert service(folder, end=signal.SIGKILL)
        last.touch()
        os.utime(last, (number, number))
    assert stands(folder).state == "running"


def test_an_orderly_end_of_the_service_does_not_count(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    assert all(service(folder, end=signal.SIGTERM) for _ in range(4))
    assert (stands(folder).state, stands(folder).attempts) == ("running", 0)
