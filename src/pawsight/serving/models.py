"""The models of a service: loaded, and exchanged while it answers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from anyio import Lock, to_thread

from pawsight.inference.catalog import Entry, Loader, resolve
from pawsight.inference.errors import ModelError, UnknownModel
from pawsight.inference.model import Model
from pawsight.inference.switch import remove, switch
from pawsight.serving.drift import Drift
from pawsight.serving.errors import Refusal, quoted

log = logging.getLogger(__name__)


class Models:
    """The models that may be asked, by name.

    Args:
        loader: Loads them.
        may_lose: The part of the classes' pictures that may be called ``neither``; None leaves that
            to each model.
        drift: Watches what they are asked about.

    Attributes:
        loaded: By name; each has answered its golden pictures. Changed by the event loop alone.
    """

    def __init__(self, loader: Loader, may_lose: float | None, drift: Drift) -> None:
        self.loaded: dict[str, Model] = {}
        self._loader = loader
        self._may_lose = may_lose
        self._drift = drift
        self._changing = Lock()  # one at a time

    def load_all(self, names: Iterable[str]) -> None:
        """Load the models of these names, or of these folders, before the service answers.

        Raises:
            UnknownModel: There is no such model.
            BrokenModel: A model does not prove itself.
            ModelError: Two models have the same name, one knows no threshold as asked for, or the
                execution provider does not work here.
        """
        entries: dict[str, Entry] = {}
        for name in names:
            entry = resolve(name)
            if entry.name in entries:
                raise ModelError(f"two of the models to serve are called {entry.name!r}")
            entries[entry.name] = entry
        # Cascades last: what they ask is loaded by then, and is not read again.
        in_turn = sorted(entries.values(), key=lambda each: each.is_cascade)
        loaded = {each.name: self._load(each) for each in in_turn}
        self.loaded.update({name: loaded[name] for name in entries})

    def load_trained(self, names: Iterable[str]) -> None:
        """The models that were trained here; one that is broken is no reason not to start."""
        for name in names:
            if name in self.loaded:
                continue
            try:
                self.loaded[name] = self._load(resolve(name))
            except UnknownModel:
                log.info("the model %s, which was trained here, was removed", name)
            except ModelError as error:
                log.warning("the model %s, which was trained here, is not loaded: %s", name, error)

    def find(self, name: str) -> Model:
        """The model of this name.

        Raises:
            Refusal: ``unknown-model``.
        """
        if name in self.loaded:
            return self.loaded[name]
        there = ", ".join(self.loaded)
        raise Refusal("unknown-model", f"no model {quoted(name)}; this service has {there}")

    async def put(self, name: str, folder: Path) -> Model:
        """Answer by a model folder under a name, in place of what had it.

        Raises:
            UnknownModel: No model lies there.
            BrokenModel: It does not prove itself.
            ModelError: It knows no threshold as asked for.
        """

        def loaded() -> Model:
            if not folder.is_dir():
                raise UnknownModel(f"no model folder {folder.name!r}")
            return self._load(Entry(name, folder, "local"))

        async with self._changing:
            model = await to_thread.run_sync(loaded)
            self.loaded[name] = model
        return model

    async def adopt(self, name: str, folder: Path) -> Model:
        """Install a model folder under a name, and answer by it.

        Raises:
            ModelError: It does not prove itself.
            OSError: It cannot be copied.
        """
        async with self._changing:
            await to_thread.run_sync(switch, name, folder)
            model = await to_thread.run_sync(lambda: self._load(resolve(name)))
            self.loaded[name] = model
        return model

    async def remove(self, name: str) -> None:
        """Answer no more by the name of an installed model; what was accepted is answered.

        Raises:
            ModelError: None is installed by that name.
            OSError: It cannot be moved away.
        """
        async with self._changing:
            await to_thread.run_sync(remove, name)
            self.loaded.pop(name, None)
            self._drift.forget(name)

    def _load(self, entry: Entry) -> Model:
        model = self._loader.load(entry)
        if self._may_lose is not None:
            if model.knows_thresholds:
                model.choose_threshold(self._may_lose)
            else:
                log.warning("%s keeps its own threshold: it knows no other", entry.name)
        self._drift.prepare(model)
        return model
