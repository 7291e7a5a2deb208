"""What each model is asked about, held against what it was chosen on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from pawsight.drift.comparison import Decision, WindowComparison
from pawsight.drift.monitor import Monitor
from pawsight.drift.reference import read_reference
from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Model
from pawsight.inference.session import Tensor
from pawsight.serving.meter import Meter

log = logging.getLogger(__name__)

DriftWatch: TypeAlias = Callable[[Tensor, Tensor], None]
"""Is told of a picture's features float32 [D] and logits [C]; raises nothing."""


class _Watched(NamedTuple):
    network: Classifier
    monitor: Monitor
    watch: DriftWatch


class Drift:
    """Watches the models of a service.

    A model is watched by what its first network sees and says: of a cascade the fast one, which
    sees every picture, while the strong one is only shown those that are hard.

    Args:
        size: Pictures of a window; 0 watches nothing.
        level: The part of windows that may be called different where nothing has changed.
        meter: Is told of each comparison.
    """

    def __init__(self, size: int, level: float, meter: Meter) -> None:
        self.size = size
        self.level = level
        self._meter = meter
        self._watched: dict[str, _Watched] = {}

    def prepare(self, model: Model) -> None:
        """Begin to watch a model, in place of what had its name.

        Raises:
            BrokenModel: What it carries as a reference is none.
        """
        name, network = model.reference.name, model.members[0]
        reference = read_reference(network.folder) if self.size else None
        if reference is None:
            self.forget(name)
            return

        def tell(found: WindowComparison) -> None:
            self._meter.compared(name, found)
            if found.drifted:
                log.warning("%s: %s", name, found.words)

        card = network.card
        decision = Decision(card.labels, card.temperature, network.threshold)
        monitor = Monitor(reference, decision, tell, size=self.size, level=self.level)

        def watch(features: Tensor, logits: Tensor) -> None:
            try:
                monitor.add(features, logits)
            except Exception:  # whatever it is, answers must go on
                log.exception("a picture was not compared with what %s was chosen on", name)

        self._watched[name] = _Watched(network, monitor, watch)

    def forget(self, name: str) -> None:
        """Watch the model of this name no more, and let go of its network."""
        self._watched.pop(name, None)

    def monitor(self, model: Model) -> Monitor | None:
        """That of a model; None where it is not watched."""
        watched = self._of(model)
        return watched and watched.monitor

    def watch(self, model: Model) -> DriftWatch | None:
        """What is to be told of the pictures that a model is asked about."""
        watched = self._of(model)
        return watched and watched.watch

    def _of(self, model: Model) -> _Watched | None:
        watched = self._watched.get(model.reference.name)
        return watched if watched and watched.network is model.members[0] else None
