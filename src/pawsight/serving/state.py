"""What a running service holds: its models, its limits, and the threads that answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Limits
from pawsight.inference.catalog import Loader, resolve
from pawsight.inference.errors import ModelError
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.serving.errors import Refusal, quoted
from pawsight.serving.settings import Settings

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True)
class State:
    """The models and what they may be asked.

    Attributes:
        settings: Of the service.
        loaded: By name; each has answered its golden pictures.
        workers: Bounds how many pictures are decoded and classified at once.
    """

    settings: Settings
    loaded: dict[str, Model]
    workers: CapacityLimiter = field(repr=False)

    @classmethod
    def load(cls, settings: Settings) -> State:
        """Load every model of the settings.

        Raises:
            UnknownModel: There is no such model.
            BrokenModel: A model does not prove itself.
            ModelError: Two models have the same name, or one knows no threshold as asked for.
        """
        threads = settings.threads or usable_cpus()
        state, loader = cls(settings, {}, CapacityLimiter(threads)), Loader(threads)
        for name in settings.serve_models:
            entry = resolve(name)
            if entry.name in state.loaded:
                raise ModelError(f"two of the models to serve are called {entry.name!r}")
            model = loader.load(entry)
            if settings.may_lose is not None:
                if model.knows_thresholds:
                    model.choose_threshold(settings.may_lose)
                else:
                    log.warning("%s keeps its own threshold: it knows no other", entry.name)
            state.loaded[entry.name] = model
        return state

    @property
    def names(self) -> list[str]:
        """Of all models that may be asked for."""
        return list(self.loaded)

    def model(self, name: str) -> Model:
        """The loaded model of this name.

        Raises:
            Refusal: ``unknown-model``.
        """
        if name in self.loaded:
            return self.loaded[name]
        there = ", ".join(self.names)
        raise Refusal("unknown-model", f"no model {quoted(name)}; this service has {there}")

    @property
    def limits(self) -> Limits:
        """What one picture may cost."""
        return Limits(self.settings.max_bytes, self.settings.max_pixels)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call what computes for longer beside the event loop, a bounded number at once."""
        return await to_thread.run_sync(function, limiter=self.workers)

    async def classify(self, model: Model, data: bytes) -> Prediction:
        """Answer about the bytes of one picture, beside the event loop.

        Raises:
            ImageError: The picture cannot be used.
        """
        return await self.run(lambda: model.predict(data, self.limits))
