"""Training by way of the service: where its trainings are, and what they end with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import Final

from anyio import CapacityLimiter

from pawsight.extras import ExtraMissing, require
from pawsight.inference.model import Model
from pawsight.jobs.job import Result
from pawsight.places import data_folder
from pawsight.serving.settings import Settings

_AT_ONCE: Final = 2  # archives that are received or checked


class Training:
    """The trainings of a service.

    Args:
        home: Their folder.

    Attributes:
        runner: Runs them.
        receiving: Bounds how many archives are received at once.
        naming: Held from looking whether a name is free until a training has it.
    """

    def __init__(self, home: Path) -> None:
        # Imported here: only this part of the service needs a system with locks of files.
        from pawsight.jobs.runner import Runner

        self.runner = Runner(home, self._take_over)
        self.receiving = CapacityLimiter(_AT_ONCE)
        self.naming = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Training | None:
        """What the settings ask for; None where nothing is to be trained."""
        if not settings.training:
            return None
        return cls(settings.training_dir or data_folder() / "training")

    @cached_property
    def missing(self) -> str | None:
        """Why nothing can be trained on this machine; None where it can."""
        try:
            require("train", "training")
        except ExtraMissing as error:
            return str(error)
        return None

    def trained(self) -> list[str]:
        """The names of the models that were trained here."""
        return list(dict.fromkeys(each.model for each in self.runner.results()))

    def start(self, adopt: Callable[[str, Path], Awaitable[Model]]) -> None:
        """Begin to train; from the event loop.

        Args:
            adopt: Answers by a model folder under a name.
        """
        self._loop = asyncio.get_running_loop()
        self._adopt = adopt
        if self.missing is None:
            self.runner.start()

    def close(self) -> None:
        """Break off what is trained; blocks, beside the event loop."""
        self.runner.close()

    def _take_over(self, name: str, folder: Path) -> Result:
        """Have a trained model answer; in the thread of the trainings."""

        async def adopted() -> Model:
            return await self._adopt(name, folder)

        model = asyncio.run_coroutine_threadsafe(adopted(), self._loop).result()
        by_split = {each.data.partition(" ")[0]: each for each in model.card.metrics}
        test, validation = by_split.get("test"), by_split.get("validation")
        return Result(
            model=name,
            version=model.reference.version,
            accuracy=test.accuracy if test else None,
            pictures=test.pictures if test else 0,
            validation_accuracy=validation.accuracy if validation else None,
        )
