"""Pictures in, answers out: a few threads beside the event loop, and batches of what has queued."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, NamedTuple, TypeAlias

from pawsight.images.decode import Pixels
from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Ask, Steps
from pawsight.inference.prediction import Prediction
from pawsight.inference.session import Tensor
from pawsight.serving.drift import DriftWatch
from pawsight.serving.meter import Meter
from pawsight.serving.stages import STAGES, Stage, StageName

BATCH: Final = 4
"""The most pictures that a network is given at once; more gain nothing on a CPU, wait longer, and
need memory (docs/performance.md)."""

LARGE: Final = 32_000_000
"""Bytes of a model folder from which on a network is given pictures one by one: it gains nothing by
batches, they need much memory, and several run side by side."""

WAIT: Final = 0.01
"""Seconds that a network lets its next batch grow, while there are pictures to be read for it."""

Outcome: TypeAlias = "Prediction | Exception"


class _Told(NamedTuple):
    """What a network says of a picture.

    Attributes:
        answer: Or why there is none.
        features: float32 [D]; None where it failed.
        logits: float32 [C]; likewise.
    """

    answer: Outcome
    features: Tensor | None = None
    logits: Tensor | None = None


@dataclass(eq=False)
class _Job:
    """A picture on its way.

    Attributes:
        steps: The rest of its way.
        answer: What the event loop waits for; cancelled where nobody wants it any more.
        watch: Is told what the first network sees in the picture and says of it.
        picture: For the network that is to be asked next.
        since: When it began to wait for the next of its steps.
        stages: Where its stages are gathered; None where nobody asks for them.
    """

    steps: Steps
    answer: asyncio.Future[Prediction]
    watch: DriftWatch | None = None
    picture: Pixels = field(init=False)
    since: float = field(default_factory=perf_counter)
    stages: list[Stage] | None = field(default_factory=STAGES.get)

    def went(self, name: StageName, start: float, end: float, network: str | None = None) -> None:
        """A stage is done."""
        if self.stages is not None:
            self.stages.append(Stage(name, start, end, network))


class Scheduler:
    """Reads pictures and runs networks on a fixed number of threads.

    A free thread first looks for a network to run: one that is idle and has been asked (at least
    :data:`WAIT` ago, while there are pictures to be read), or one for which a whole batch waits. It
    gives it all that waits, a batch at most. Otherwise it reads (that is, decodes and resizes)
    the next picture. So a picture that comes alone waits for nothing, and what arrives while a
    network is busy is its next batch: the busier, the larger. Whichever model asked, a network has
    one queue.

    Of the free threads, the one is woken that was busy last: what it works with is still in its
    processor's cache.

    Used by one event loop, as a context manager: the threads start at its beginning, and its end
    waits for what was begun.

    Args:
        threads: That read and run.
        limit: Pictures that may be on their way; beyond it there is no room (:meth:`has_room`).
        meter: Is told how long they wait and are worked on; None where nobody asks.
    """

    def __init__(self, threads: int, limit: int, meter: Meter | None = None) -> None:
        self._limit = limit
        self._meter = meter or Meter()
        self._meter.watch_waiting(lambda: self._waiting)
        self._waiting = self._let_in = 0
        self._new: deque[_Job] = deque()
        self._asked: dict[Classifier, deque[_Job]] = {}
        self._running: dict[Classifier, int] = {}
        self._lock = threading.RLock()
        self._free: list[threading.Condition] = []
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"pictures-{number}", daemon=True)
            for number in range(threads)
        ]

    def __enter__(self) -> Scheduler:
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closing = True
            self._wake(self.threads)
        for thread in self._threads:
            thread.join()

    @property
    def threads(self) -> int:
        """That read and run."""
        return len(self._threads)

    @property
    def waiting(self) -> int:
        """How many pictures are on their way."""
        return self._waiting

    def has_room(self) -> bool:
        """Whether one more picture may come."""
        return self._waiting + self._let_in < self._limit

    def let_in(self) -> bool:
        """Whether one more picture may come, which is then counted until the next turn of the loop.

        By then it is on its way; else all that come in one turn would find the same room.
        """
        if not self.has_room():
            return False
        if not self._let_in:
            asyncio.get_running_loop().call_soon(self._have_come)
        self._let_in += 1
        return True

    def _have_come(self) -> None:
        self._let_in = 0

    async def ask(self, steps: Steps, watch: DriftWatch | None = None) -> Prediction:
        """Go a picture's steps on the threads.

        Whoever stops waiting (by cancellation) takes the picture back: it is neither read nor run,
        unless a thread has just begun with it.

        Args:
            steps: Of a model.
            watch: Is told, by a thread that has nothing else to do for the picture, what the first
                network sees in it and says of it.

        Raises:
            Exception: Whatever a step raises, above all ImageError.
        """
        job = _Job(steps, self._loop.create_future(), watch)
        self._waiting += 1
        try:
            with self._lock:
                self._new.append(job)
                self._wake(1)
            return await job.answer
        except asyncio.CancelledError:
            self._forget(job)
            raise
        finally:
            self._waiting -= 1

    def _forget(self, job: _Job) -> None:
        with self._lock:
            for queue in (self._new, *self._asked.values()):
                if job in queue:
                    queue.remove(job)
            for network in [each for each, queue in self._asked.items() if not queue]:
                self._tidy(network)

    def _wake(self, count: int) -> None:
        """Let so many free threads look for something to do; whoever asks holds the lock."""
        for _ in range(min(count, len(self._free))):
            self._free.pop().notify()

    def _work(self) -> None:
        woken = threading.Condition(self._lock)
        while True:
            with self._lock:
                while not (work := self._next()):
                    if self._closing:
                        return
                    self._free.append(woken)
                    woken.wait()
            network, jobs = work
            start = perf_counter()
            for job in jobs:
                self._meter.spent("wait", start - job.since)
                job.went("wait", job.since, start)
            if network is None:
                self._go_on([(job, None) for job in jobs])
            else:
                others = self._waiting - len(jobs)
                alone = 2 * others < self.threads  # else each has a processor of its own
                told = _tell(network, [job.picture for job in jobs], alone=alone)
                end, name = perf_counter(), network.reference.name
                self._meter.spent("infer", end - start)
                self._meter.batched(name, len(jobs))
                for job in jobs:
                    job.went("infer", start, end, name)
                watches = [job.watch for job in jobs]
                for job in jobs:
                    job.watch = None
                answers = [each.answer for each in told]
                self._go_on(list(zip(jobs, answers, strict=True)), network)
                for watch, each in zip(watches, told, strict=True):
                    if watch and each.features is not None and each.logits is not None:
                        watch(each.features, each.logits)

    def _next(self) -> tuple[Classifier | None, list[_Job]] | None:
        """What a free thread is to do: a network with its batch, or one picture to be read."""
        for network, queue in self._asked.items():
            if not queue:
                continue
            running = self._running.get(network, 0)
            waited = perf_counter() - queue[0].since
            most = BATCH if network.size < LARGE else 1
            if len(queue) >= most or not (running or (self._new and waited < WAIT)):
                batch = [queue.popleft() for _ in range(min(most, len(queue)))]
                self._asked[network] = self._asked.pop(network)  # the others are looked at first
                self._running[network] = running + 1
                return network, batch
        return (None, [self._new.popleft()]) if self._new else None

    def _go_on(
        self, told: Sequence[tuple[_Job, Outcome | None]], network: Classifier | None = None
    ) -> None:
        """Take each job to its next question or to its end.

        Args:
            told: Jobs, each with the answer to its question; None before its first.
            network: That has just run.
        """
        asked, ended = [], []
        for job, answer in told:
            if job.answer.cancelled():
                continue
            start = perf_counter()
            reached = _step(job.steps, answer)
            if answer is None or isinstance(reached, Ask):  # it was read, for a network
                end = perf_counter()
                self._meter.spent("decode", end - start)
                job.went("decode", start, end)
            if isinstance(reached, Ask):
                job.picture = reached.picture
                asked.append((reached.network, job))
            else:
                ended.append((job.answer, reached))
        with self._lock:
            if network:
                self._running[network] -= 1
                self._tidy(network)
                # Of another network, which may take them one by one on as many threads; and this
                # one may have been asked meanwhile.
                self._wake(len(asked))
            for other, job in asked:
                if job.answer.cancelled():
                    continue
                job.since = perf_counter()
                self._asked.setdefault(other, deque()).append(job)
        if ended:
            self._loop.call_soon_threadsafe(_deliver, ended)

    def _tidy(self, network: Classifier) -> None:
        """Hold on to no network that has nothing to do: its model may be gone."""
        if not self._running.get(network) and not self._asked[network]:
            self._running.pop(network, None)
            del self._asked[network]


def _step(steps: Steps, answer: Outcome | None) -> Ask | Outcome:
    """The next question, or the end; None begins."""
    try:
        if answer is None:
            return next(steps)
        return answer if isinstance(answer, Exception) else steps.send(answer)
    except StopIteration as end:
        prediction: Prediction = end.value
        return prediction
    except Exception as error:  # noqa: BLE001 - it is for the one who waits for this picture
        return error


def _tell(network: Classifier, pictures: list[Pixels], *, alone: bool) -> list[_Told]:
    """What a network says; where it fails on a batch, each picture is asked about alone."""
    try:
        outputs = network.look(pictures, alone=alone)
        answers = network.conclude(outputs.logits)
        rows = zip(answers, outputs.features, outputs.logits, strict=True)
        return [_Told(*each) for each in rows]
    except Exception as error:  # noqa: BLE001 - whoever waits for the picture is told
        if len(pictures) == 1:
            return [_Told(error)]
        return [told for each in pictures for told in _tell(network, [each], alone=alone)]


def _deliver(ended: list[tuple[asyncio.Future[Prediction], Outcome]]) -> None:
    for future, outcome in ended:
        if future.done():  # cancelled meanwhile
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
