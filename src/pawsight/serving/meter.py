"""What the service measures of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

from pawsight.drift.comparison import WindowComparison
from pawsight.inference.prediction import Prediction
from pawsight.serving.stages import StageName

_SECONDS: Final = (
    *(scale * step for scale in (0.001, 0.01, 0.1, 1.0) for step in (0.5, 1.0, 2.5, 5.0)),
    10.0,
    30.0,
)
_BATCHES: Final = (1, 2, 4, 6, 8, 12, 16)


class Meter:
    """Counts and clocks of one service; may be told of things by any thread.

    Attributes:
        registry: Of what it measures.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "pawsight_requests",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "pawsight_request_seconds",
            "From a request's header until the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        stages = Histogram(
            "pawsight_stage_seconds",
            "Of a picture: waiting for a thread or a network (wait), decoding and preprocessing "
            "(decode); of a batch: running the network (infer).",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = {stage: stages.labels(stage) for stage in ("wait", "decode", "infer")}
        self._found: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._batches = Histogram(
            "pawsight_batch_pictures",
            "Pictures that a network was given at once.",
            ("network",),
            buckets=_BATCHES,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "pawsight_waiting_pictures",
            "Pictures on their way to an answer.",
            registry=self.registry,
        )
        self._problems = Counter(
            "pawsight_problems",
            "Requests that were refused, by the problem's code.",
            ("code",),
            registry=self.registry,
        )
        self._answers = Counter(
            "pawsight_answers",
            "Pictures that were answered.",
            ("model", "decided_by", "label"),
            registry=self.registry,
        )

        self._records = Counter(
            "pawsight_records",
            "Answers that were written to the record, or that are lost to it.",
            ("outcome",),
            registry=self.registry,
        )
        self._unwritten = Gauge(
            "pawsight_unwritten_records",
            "Answers that are still to be written to the record.",
            registry=self.registry,
        )

        self._windows = Counter(
            "pawsight_drift_windows",
            "Windows of pictures that were held against what the model was chosen on.",
            ("model", "drifted"),
            registry=self.registry,
        )
        self._drifted = Gauge(
            "pawsight_drifted",
            "1 where the last window of pictures is not like those that the model was chosen on.",
            ("model",),
            registry=self.registry,
        )
        self._psi = Gauge(
            "pawsight_drift_psi",
            "Population stability index of the last window's confidences and labels.",
            ("model", "of"),
            registry=self.registry,
        )
        self._p = Gauge(
            "pawsight_drift_p",
            "How often the last window's features, confidences or labels differ as much where "
            "nothing has changed.",
            ("model", "of"),
            registry=self.registry,
        )

    def compared(self, model: str, found: WindowComparison) -> None:
        """A window of pictures was held against what a model was chosen on."""
        self._windows.labels(model, str(found.drifted).lower()).inc()
        self._drifted.labels(model).set(found.drifted)
        shifts = (
            ("features", found.features),
            ("confidences", found.confidences),
            ("labels", found.labels),
        )
        for name, shift in shifts:
            self._p.labels(model, name).set(shift.p)
            if shift.psi is not None:
                self._psi.labels(model, name).set(shift.psi)

    def spent(self, stage: StageName, seconds: float) -> None:
        """A picture, or for ``infer`` a batch, was in a stage for so long."""
        self._stages[stage].observe(seconds)

    def batched(self, network: str, pictures: int) -> None:
        """A network was given so many pictures at once."""
        self._batches.labels(network).observe(pictures)

    def watch_waiting(self, waiting: Callable[[], int]) -> None:
        """Ask how many pictures are on their way whenever somebody looks."""
        self._waiting.set_function(waiting)

    def watch_unwritten(self, unwritten: Callable[[], int]) -> None:
        """Ask how many answers are still to be recorded whenever somebody looks."""
        self._unwritten.set_function(unwritten)

    def recorded(self, written: int, lost: int) -> None:
        """So many answers were recorded, and so many will never be."""
        for outcome, number in (("written", written), ("lost", lost)):
            if number:
                self._records.labels(outcome).inc(number)

    def answered(self, answer: Prediction) -> None:
        """A picture was answered."""
        self._answers.labels(answer.model.name, answer.decided_by.name, answer.label).inc()

    def refused(self, code: str) -> None:
        """A request was refused."""
        self._problems.labels(code).inc()

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered.

        Args:
            route: The pattern of its address, not the address: a client must not make new ones.
            method: One of HTTP's.
            status: Of the answer; 499 where the client left before it.
            seconds: That it took.
        """
        counted, timed = self._of(route, method, status)
        counted.inc()
        timed.observe(seconds)

    def _of(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """What counts and times such requests; finding them takes as long as that."""
        found = self._found.get((route, method, status))
        if found is None:
            found = self._requests.labels(route, method, status), self._latency.labels(route)
            self._found[route, method, status] = found
        return found
