"""What a running service holds: its models, its limits, and what answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from time import perf_counter
from typing import NamedTuple, TypeVar

import pillow_heif
from anyio import CapacityLimiter, to_thread
from PIL import AvifImagePlugin

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Limits
from pawsight.inference.catalog import Loader
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.plurals import counted
from pawsight.records.errors import Unavailable
from pawsight.records.keeping import Bounds
from pawsight.records.pictures import digest_of
from pawsight.records.place import find
from pawsight.records.record import Record
from pawsight.records.recorder import Recorder
from pawsight.serving.batching import Scheduler
from pawsight.serving.cache import Cache
from pawsight.serving.drift import Drift
from pawsight.serving.early import begin
from pawsight.serving.errors import Refusal
from pawsight.serving.ids import new_id
from pawsight.serving.memory import give_back
from pawsight.serving.meter import Meter
from pawsight.serving.models import Models
from pawsight.serving.settings import Settings
from pawsight.serving.training import Training

Result = TypeVar("Result")


class Answered(NamedTuple):
    """An answer that has an id.

    Attributes:
        id: Of the answer.
        prediction: What is answered.
        recorded: Whether it is to be recorded; it need not have been yet.
    """

    id: str
    prediction: Prediction
    recorded: bool


@dataclass
class State:
    """The models, and what asks them.

    Attributes:
        settings: Of the service.
        models: Which may be asked.
        scheduler: Answers, while the state is running.
        cache: Of the latest answers.
        workers: Bounds how much else is computed at once.
        meter: Is told what happens.
        drift: Watches what the models are asked about.
        recorder: Records answers; None where none are.
        training: Trains models; None where none are trained.
        stopping: Whether the service has been told to stop.
    """

    settings: Settings
    models: Models
    scheduler: Scheduler = field(repr=False)
    cache: Cache = field(repr=False)
    workers: CapacityLimiter = field(repr=False)
    meter: Meter = field(repr=False)
    drift: Drift = field(repr=False)
    recorder: Recorder | None = field(default=None, repr=False)
    training: Training | None = field(default=None, repr=False)
    stopping: bool = False

    @classmethod
    def load(cls, settings: Settings, loader: Loader | None = None) -> State:
        """Load every model of the settings.

        Args:
            settings: Of the service.
            loader: That has begun to (:func:`~pawsight.serving.early.begin`).

        Raises:
            UnknownModel: There is no such model.
            BrokenModel: A model does not prove itself.
            ModelError: Two models have the same name, one knows no threshold as asked for, or the
                execution provider does not work here.
            ExtraMissing: Records are to go to PostgreSQL, whose driver is not installed.
        """
        threads = settings.threads or usable_cpus()
        _one_thread_a_picture()
        loader = loader or begin(settings)
        meter = Meter()
        recorder, training = _recorder(settings, meter), Training.of(settings)
        drift = Drift(settings.drift_window, settings.drift_level, meter)
        models = Models(loader, settings.may_lose, drift)
        models.load_all(settings.serve_models)
        models.load_trained(training.trained() if training else ())
        give_back()
        return cls(
            settings,
            models,
            # One more, for while one of them waits for the interpreter's lock.
            Scheduler(threads + 1 if threads > 1 else 1, settings.max_waiting, meter),
            Cache(settings.cache),
            CapacityLimiter(threads),
            meter,
            drift,
            recorder,
            training,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer, until the block ends and what was accepted is done.

        Before it begins, every network has answered a picture by the way of those to come.
        """
        try:
            with self.scheduler:
                models = self.models.loaded.values()
                for network in {each for model in models for each in model.members}:
                    picture = network.folder.path / network.card.golden[0].file
                    await self.scheduler.ask(network.steps(picture.read_bytes()))
                if self.recorder:
                    self.recorder.start()
                if self.training:
                    self.training.start(self.models.adopt)
                try:
                    yield
                finally:
                    if self.training:
                        await to_thread.run_sync(self.training.close)
        finally:
            if self.recorder:  # after what was accepted is answered
                self.recorder.close()

    @property
    def limits(self) -> Limits:
        """What one picture may cost."""
        return Limits(self.settings.max_bytes, self.settings.max_pixels)

    def admit(self) -> None:
        """Refuse what would have to wait for too long; to be asked before a body is read.

        Raises:
            Refusal: ``overloaded``.
        """
        if not self.scheduler.has_room():
            raise self.overloaded()

    def let_in(self) -> None:
        """The same once the body has been read: what is let in is counted until it waits.

        Raises:
            Refusal: ``overloaded``.
        """
        if not self.scheduler.let_in():
            raise self.overloaded()

    def overloaded(self) -> Refusal:
        """What is said to whoever would have to wait for too long."""
        return Refusal(
            "overloaded",
            f"{counted(self.settings.max_waiting, 'picture')} may wait for an answer, and no more "
            "can now; try again after a second",
            {"Retry-After": "1"},
        )

    def digest(self, data: bytes) -> str | None:
        """The SHA-256 of a picture's bytes; None where nobody asks for it."""
        return digest_of(data) if self.recorder or self.settings.cache else None

    async def classify(self, model: Model, data: bytes, digest: str | None = None) -> Answered:
        """Answer about the bytes of one picture, beside the event loop, and record it.

        Args:
            model: The model.
            data: The picture.
            digest: Of the bytes, if it is known.

        Raises:
            ImageError: The picture cannot be used.
        """
        start = perf_counter()
        digest = digest or self.digest(data)
        tag = self.cache.tag(model, digest)
        answer = self.cache.get(tag)
        if answer is None:
            answer = await self.scheduler.ask(
                model.steps(data, self.limits), self.drift.watch(model)
            )
            self.cache.put(tag, answer)
        self.meter.answered(answer)
        return self._record(model, answer, data, digest, perf_counter() - start)

    async def compute(self, model: Model, data: bytes, digest: str | None = None) -> Answered:
        """The same, always anew.

        Raises:
            ImageError: The picture cannot be used.
        """
        start = perf_counter()
        answer = await self.scheduler.ask(model.steps(data, self.limits))
        return self._record(
            model, answer, data, digest or self.digest(data), perf_counter() - start
        )

    def _record(
        self, model: Model, answer: Prediction, data: bytes, digest: str | None, seconds: float
    ) -> Answered:
        id_, recorded = new_id(), False
        if self.recorder and digest:
            all_pictures = self.recorder.bounds.all_pictures
            recorded = self.recorder.put(
                Record(
                    id_,
                    datetime.now(timezone.utc),
                    digest,
                    answer,
                    model.threshold,
                    seconds,
                    data if all_pictures else None,
                )
            )
        return Answered(id_, answer, recorded)

    async def kept(self, answered: Answered) -> bool:
        """Whether an answer is on the disk; waits until it is, or cannot be."""
        if self.recorder is None or not answered.recorded:
            return False
        try:
            return await asyncio.wrap_future(self.recorder.kept(answered.id))
        except Unavailable:
            return False

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call what computes for longer beside the event loop, a bounded number at once.

        Whoever stops waiting (by cancellation) takes it back while it waits for its turn; what has
        begun is waited for, as it is one of that number until it ends.

        Raises:
            Refusal: ``overloaded``: as many wait for this as pictures may for their answers.
        """
        if self.workers.statistics().tasks_waiting >= self.settings.max_waiting:
            raise self.overloaded()
        begun = False

        def begin() -> Result:
            nonlocal begun
            begun = True
            return function()

        work = asyncio.ensure_future(to_thread.run_sync(begin, limiter=self.workers))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not begun:
                work.cancel()
            await asyncio.gather(work, return_exceptions=True)  # nobody is told of what it met
            raise


def _recorder(settings: Settings, meter: Meter) -> Recorder | None:
    place = find(settings.records, settings.pictures_dir)
    if place is None:
        return None
    bounds = Bounds(settings.records_days, settings.records_most, settings.keep_pictures == "all")
    recorder = Recorder(place, bounds, meter.recorded)
    meter.watch_unwritten(lambda: recorder.status.waiting)
    return recorder


def _one_thread_a_picture() -> None:
    """Pictures are decoded side by side; more threads in a decoder would only be in their way.

    Those of AVIF and HEIC start some of their own, as many as the host has processors, or four.
    """
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.options.DECODE_THREADS = 1
