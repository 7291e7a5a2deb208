"""What a running service holds: its models, its limits, and what answers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pillow_heif
from anyio import CapacityLimiter, Lock, to_thread
from PIL import AvifImagePlugin

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Limits
from pawsight.inference.catalog import Entry, Loader, resolve
from pawsight.inference.errors import ModelError, UnknownModel
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.serving.batching import Scheduler
from pawsight.serving.cache import Cache
from pawsight.serving.errors import Refusal, quoted
from pawsight.serving.memory import give_back, share_memory
from pawsight.serving.meter import Meter
from pawsight.serving.settings import Settings

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass
class State:
    """The models and what they may be asked.

    Attributes:
        settings: Of the service.
        loaded: By name; each has answered its golden pictures.
        scheduler: Answers, while the state is running.
        cache: Of the latest answers.
        workers: Bounds how much else is computed at once.
        loader: Loads models.
        meter: Is told what happens.
        loading: Held by who loads a model, one at a time.
        stopping: Whether the service has been told to stop.
    """

    settings: Settings
    loaded: dict[str, Model]
    scheduler: Scheduler = field(repr=False)
    cache: Cache = field(repr=False)
    workers: CapacityLimiter = field(repr=False)
    loader: Loader = field(repr=False)
    meter: Meter = field(repr=False)
    loading: Lock = field(default_factory=Lock, repr=False)
    stopping: bool = False

    @classmethod
    def load(cls, settings: Settings) -> State:
        """Load every model of the settings.

        Raises:
            UnknownModel: There is no such model.
            BrokenModel: A model does not prove itself.
            ModelError: Two models have the same name, one knows no threshold as asked for, or the
                execution provider does not work here.
        """
        threads = settings.threads or usable_cpus()
        _one_thread_a_picture()
        share_memory()
        meter = Meter()
        state = cls(
            settings,
            {},
            # One more, for while one of them waits for the interpreter's lock.
            Scheduler(threads + 1 if threads > 1 else 1, settings.max_waiting, meter),
            Cache(settings.cache),
            CapacityLimiter(threads),
            Loader(threads, settings.provider, for_many=True),
            meter,
        )
        for name in settings.serve_models:
            entry = resolve(name)
            if entry.name in state.loaded:
                raise ModelError(f"two of the models to serve are called {entry.name!r}")
            state.loaded[entry.name] = state._load(entry)
        give_back()
        return state

    def load_model(self, name: str, folder: Path) -> Model:
        """Load a model folder under a name, without serving it yet.

        Raises:
            UnknownModel: No model lies there.
            BrokenModel: It does not prove itself.
            ModelError: It knows no threshold as asked for.
        """
        if not folder.is_dir():
            raise UnknownModel(f"no model folder {folder.name!r}")
        return self._load(Entry(name, folder, "local"))

    def _load(self, entry: Entry) -> Model:
        model, may_lose = self.loader.load(entry), self.settings.may_lose
        if may_lose is not None:
            if model.knows_thresholds:
                model.choose_threshold(may_lose)
            else:
                log.warning("%s keeps its own threshold: it knows no other", entry.name)
        return model

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer, until the block ends and what was accepted is done.

        Before it begins, every network has answered a picture by the way of those to come.
        """
        with self.scheduler:
            for network in {each for model in self.loaded.values() for each in model.members}:
                picture = network.folder.path / network.card.golden[0].file
                await self.scheduler.ask(network.steps(picture.read_bytes()))
            yield

    @property
    def names(self) -> list[str]:
        """Of all models that may be asked for."""
        return list(self.loaded)

    @property
    def limits(self) -> Limits:
        """What one picture may cost."""
        return Limits(self.settings.max_bytes, self.settings.max_pixels)

    def model(self, name: str) -> Model:
        """The loaded model of this name.

        Raises:
            Refusal: ``unknown-model``.
        """
        if name in self.loaded:
            return self.loaded[name]
        there = ", ".join(self.names)
        raise Refusal("unknown-model", f"no model {quoted(name)}; this service has {there}")

    def admit(self) -> None:
        """Refuse what would have to wait for too long.

        To be asked before a body is read, and again when it has been.

        Raises:
            Refusal: ``overloaded``.
        """
        if self.scheduler.full:
            raise Refusal(
                "overloaded",
                f"{self.scheduler.waiting} pictures wait for their answers already; try again "
                "after a second",
                {"Retry-After": "1"},
            )

    async def classify(self, model: Model, data: bytes, tag: str | None = None) -> Prediction:
        """Answer about the bytes of one picture, beside the event loop.

        Args:
            model: The model.
            data: The picture.
            tag: Of the two in the cache, if it is known.

        Raises:
            ImageError: The picture cannot be used.
        """
        tag = tag or self.cache.tag(model, data)
        answer = self.cache.get(tag)
        if answer is None:
            answer = await self.compute(model, data)
            self.cache.put(tag, answer)
        self.meter.answered(answer)
        return answer

    async def compute(self, model: Model, data: bytes) -> Prediction:
        """The same, always anew.

        Raises:
            ImageError: The picture cannot be used.
        """
        return await self.scheduler.ask(model.steps(data, self.limits))

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call what computes for longer beside the event loop, a bounded number at once."""
        return await to_thread.run_sync(function, limiter=self.workers)


def _one_thread_a_picture() -> None:
    """Pictures are decoded side by side; more threads in a decoder would only be in their way.

    Those of AVIF and HEIC start some of their own, as many as the host has processors, or four.
    """
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.options.DECODE_THREADS = 1
