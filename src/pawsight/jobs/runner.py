"""Runs trainings one after the other, beside the service, and finds them again after it ended."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from pawsight.jobs.command import MODEL, command_of, environment, prepare
from pawsight.jobs.datasets import ID, Datasets
from pawsight.jobs.job import (
    Epoch,
    Job,
    Method,
    Result,
    TooMany,
    now,
    read_job,
    read_jobs,
    write_job,
)
from pawsight.jobs.process import Process, try_lock
from pawsight.jobs.progress import LOG, checkpoint, curves, last_words, why_it_failed

log = logging.getLogger(__name__)

ATTEMPTS: Final = 3
"""So often a training is begun that is broken off before it got further: it may be what ends the
service."""
MOST_WAITING: Final = 20

_LOOK: Final = 0.2  # seconds between looks at a training
_IDLE: Final = 5.0  # seconds between looks for what another process of the service was asked for


class Runner:
    """The trainings of one service.

    Everything that it knows is on the disk. Of several services with one folder, one runs the
    trainings.

    Args:
        home: The folder of datasets and jobs; made when it is needed.
        adopt: Takes over a model folder under a name, blocking; what it raises is the end of the
            job, in its words.
    """

    def __init__(self, home: Path, adopt: Callable[[str, Path], Result]) -> None:
        self.datasets = Datasets(home / "datasets")
        self._home = home
        self._jobs = home / "jobs"
        self._adopt = adopt
        self._changing = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)

    def start(self) -> None:
        """Begin to run what is asked for, and what was left."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and break off what runs: it goes on at the next start. Blocks."""
        if self._thread.ident is None:  # it was never started
            return
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def submit(
        self,
        *,
        dataset: str,
        name: str,
        method: Method,
        start: tuple[str, Path] | None,
        epochs: int | None,
    ) -> Job:
        """Have a model trained.

        Args:
            dataset: An id.
            name: Of the model.
            method: How.
            start: Of a head: what it is put on, by name and folder.
            epochs: Of a full training.

        Raises:
            TooMany: So many wait already.
            OSError: It cannot be written down.
        """
        if sum(job.state == "queued" for job in self.jobs()) >= MOST_WAITING:
            raise TooMany
        job = Job(
            id=uuid4().hex,
            dataset=dataset,
            name=name,
            method=method,
            start=start[0] if start else None,
            start_folder=str(start[1].resolve()) if start else None,
            epochs=epochs,
            created=now(),
            message="waits for its turn",
        )
        (self._jobs / job.id).mkdir(parents=True)
        write_job(self._jobs / job.id, job)
        self._wake.set()
        return job

    def jobs(self) -> list[Job]:
        """All of them that were not removed, the newest first."""
        return [job for job in read_jobs(self._jobs) if not job.removed]

    def find(self, id_: str) -> Job | None:
        """The job of an id, if there is one and it was not removed."""
        job = read_job(self._jobs / id_) if ID.fullmatch(id_) else None
        return None if job is None or job.removed else job

    def curves(self, job: Job) -> tuple[Epoch, ...]:
        """What its epochs reached, so far."""
        return curves(self._jobs / job.id) if job.state == "running" else job.curves

    def words(self, job: Job) -> str:
        """What there is to say of it: while it runs, the last that it said."""
        said = last_words(self._jobs / job.id) if job.state == "running" else ""
        return said or job.message

    def cancel(self, id_: str) -> Job | None:
        """Stop a job, if it has not ended; None where there is none."""
        job = self.find(id_)
        if job is None or not job.is_open:
            return job
        self._end(id_, state="cancelled", message="it was cancelled")
        self._wake.set()
        return self.find(id_)

    def remove(self, id_: str) -> Job | None:
        """List a job that has ended no more; its model stays. One that has not stays as it is.

        Returns:
            The job as it was; None where there is none.

        Raises:
            OSError: It cannot be written down.
        """
        with self._changing:
            job = self.find(id_)
            if job is not None and not job.is_open:
                write_job(self._jobs / id_, job.model_copy(update={"removed": True}))
                self._wake.set()
            return job

    def needed(self) -> set[str]:
        """The ids of the datasets that jobs still have to read."""
        return {job.dataset for job in self.jobs() if job.is_open}

    def results(self) -> list[Result]:
        """The models that trainings ended with, also those that were removed; the newest first."""
        return [job.result for job in read_jobs(self._jobs) if job.result]

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._home.mkdir(parents=True, exist_ok=True)
                with try_lock(self._home / "lock") as mine:
                    if mine:
                        self.datasets.sweep()
                        self._run_all()
            except OSError as error:
                log.warning("trainings cannot be run: %s", error)
            if not self._closing.is_set():  # what woke to that has been cleared
                self._wake.wait(_IDLE)
                self._wake.clear()

    def _run_all(self) -> None:
        """Run what there is to run, until the service ends."""
        while not self._closing.is_set():
            jobs = read_jobs(self._jobs)
            self._sweep(jobs)
            waiting = [job for job in jobs if job.is_open]
            if waiting:
                # What runs already comes before what waits, and that in its order.
                self._run(min(waiting, key=lambda job: (job.state != "running", job.created)))
            else:
                self._wake.wait(_IDLE)
                self._wake.clear()

    def _sweep(self, jobs: Sequence[Job]) -> None:
        """Delete what removed jobs left; beside no process, which may live on after its job."""
        for job in jobs:
            if job.removed and job.result:
                (self._jobs / job.id / LOG).unlink(missing_ok=True)
            elif job.removed:
                shutil.rmtree(self._jobs / job.id, ignore_errors=True)

    def _run(self, job: Job) -> None:
        folder = self._jobs / job.id
        try:
            process = self._begun(job, folder)
            while process and process.runs:
                if self._closing.wait(_LOOK) or not self._still_open(job.id):
                    process.stop()
                    break
            if self._closing.is_set():
                self._in_order(job.id)
                return  # it goes on at the next start
            if process and self._still_open(job.id):
                self._conclude(job.id, folder, process.exit_code)
        except OSError as error:
            self._end(job.id, state="failed", message=f"it could not be run: {error.strerror}")
        shutil.rmtree(folder / MODEL, ignore_errors=True)

    def _begun(self, job: Job, folder: Path) -> Process | None:
        """Its process, which may run since before the service was started; None where it ended."""
        found = Process(folder)
        if found.runs:
            log.info("the training of %s still runs", job.name)
            return found
        if job.state == "running" and _is_model(folder):  # it ended while nobody looked
            return found
        reached = checkpoint(folder)
        attempts = job.attempts if reached == job.checkpoint else 0
        if attempts >= ATTEMPTS:
            words = f"broken off by the end of the service {ATTEMPTS} times, and got no further"
            self._end(job.id, state="failed", message=words)
            return None
        self._change(
            job.id,
            state="running",
            started=job.started or now(),
            attempts=attempts + 1,
            checkpoint=reached,
            message="begins",
        )
        if not self._still_open(job.id):  # cancelled in this moment
            return None
        prepare(job, folder)
        command = command_of(job, folder, self.datasets.place(job.dataset))
        log.info("the training of %s begins", job.name)
        return Process.begin(folder, command, environment())

    def _in_order(self, id_: str) -> None:
        """Do not count a beginning that only the orderly end of the service broke off."""
        job = self.find(id_)
        if job is not None and job.state == "running":
            self._change(id_, attempts=max(0, job.attempts - 1))

    def _conclude(self, id_: str, folder: Path, code: int | None) -> None:
        job = self.find(id_)
        if job is None:
            return
        if code or not _is_model(folder):
            self._end(id_, state="failed", message=why_it_failed(folder, code))
            return
        try:
            result = self._adopt(job.name, folder / MODEL)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next training must go on
            log.warning("the model %s was trained and cannot be taken over: %s", job.name, error)
            self._end(id_, state="failed", message=f"it was trained and cannot be used: {error}")
            return
        self._end(id_, state="done", message="trained, and it answers", result=result)

    def _end(self, id_: str, **changes: Any) -> None:  # noqa: ANN401 - fields of a job
        reached = curves(self._jobs / id_)
        job = self._change(id_, ended=now(), curves=reached, **changes)
        log.info("the training of %s has ended: %s, %s", job.name, job.state, job.message)

    def _still_open(self, id_: str) -> bool:
        job = self.find(id_)
        return job is not None and job.is_open

    def _change(self, id_: str, **changes: Any) -> Job:  # noqa: ANN401 - fields of a job
        """Write down how a job stands now; what has ended stays as it ended."""
        with self._changing:
            job = read_job(self._jobs / id_)
            if job is None:
                raise FileNotFoundError(2, "its folder is gone")
            if job.is_open:
                job = job.model_copy(update=changes)
                write_job(self._jobs / id_, job)
            return job


def _is_model(folder: Path) -> bool:
    return (folder / MODEL / "model.json").is_file()
