"""The scheduler alone, with networks that wait until they are let go on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

import numpy as np
import pytest

from pawsight.images.decode import Pixels
from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Ask, Steps
from pawsight.inference.network import Outputs
from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.inference.session import Tensor
from pawsight.serving.batching import BATCH, LARGE, Scheduler

PATIENCE = 60  # seconds


class Gated:
    """A network that answers with the number in the picture, once its gate is open.

    Attributes:
        gate: Open at first.
        batches: The numbers that it was given, by batches.
        alone: For each batch, whether it was said to be alone.
        busy: Released whenever a batch has come.
        failing: Numbers on which it fails.
    """

    def __init__(self, name: str = "gated") -> None:
        self.reference = ModelReference(name, "0" * 12, "local")
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[int]] = []
        self.alone: list[bool] = []
        self.busy = threading.Semaphore(0)
        self.failing: set[int] = set()
        self.size = 1

    @property
    def numbers(self) -> list[int]:
        return sorted(number for batch in self.batches for number in batch)

    def look(self, pictures: Sequence[Pixels], *, alone: bool) -> Outputs:
        batch = np.stack(pictures).astype(np.float32)
        numbers = [int(each[0]) for each in batch]
        self.batches.append(numbers)
        self.alone.append(alone)
        self.busy.release()
        assert self.gate.wait(PATIENCE)
        if self.failing & set(numbers):
            raise RuntimeError("out of registers")
        return Outputs(batch, -batch)

    def conclude(self, logits: Tensor) -> list[Prediction]:
        return [self.says(int(each[0])) for each in logits]

    def says(self, number: int) -> Prediction:
        return Prediction(str(number), 1.0, {}, 0.0, self.reference, self.reference)

    def steps(self, number: int, read: Callable[[int], None] = lambda _: None) -> Steps:
        read(number)
        picture: Any = np.array([number])
        return (yield Ask(cast(Classifier, self), picture))


def run(
    body: Callable[[Scheduler], Coroutine[Any, Any, None]], threads: int = 2, limit: int = 1000
) -> None:
    async def main() -> None:
        with Scheduler(threads, limit) as scheduler:
            await asyncio.wait_for(body(scheduler), PATIENCE)

    asyncio.run(main())


async def until_busy(network: Gated) -> None:
    assert await asyncio.to_thread(network.busy.acquire, timeout=PATIENCE)


def test_a_picture_that_comes_alone_waits_for_nothing() -> None:
    network = Gated()

    async def body(scheduler: Scheduler) -> None:
        for number in range(3):
            assert (await scheduler.ask(network.steps(number))).label == str(number)
        assert scheduler.waiting == 0

    run(body)
    assert network.batches == [[0], [1], [2]]
    assert all(network.alone)


def test_pictures_that_come_one_by_one_are_mostly_for_the_same_thread() -> None:
    """In turn, each thread would have its part, and find its processor's cache cold."""
    network, threads = Gated(), Counter[int]()

    async def body(scheduler: Scheduler) -> None:
        for number in range(30):
            steps = network.steps(number, lambda _: threads.update([threading.get_ident()]))
            await scheduler.ask(steps)
            await asyncio.sleep(0.01)  # the thread has answered, and is about to be free

    run(body, threads=3)
    assert threads.most_common(1)[0][1] > 20


def test_the_first_network_s_view_is_told_once() -> None:
    first, second = Gated("first"), Gated("second")
    seen: list[tuple[float, float]] = []

    def both(number: int) -> Steps:
        yield from first.steps(number)
        return (yield from second.steps(100 + number))

    async def body(scheduler: Scheduler) -> None:
        for number in range(1, 4):
            answer = await scheduler.ask(
                both(number), lambda features, logits: seen.append((features[0], logits[0]))
            )
            assert answer.label == str(100 + number)

    run(body)
    assert seen == [(-1, 1), (-2, 2), (-3, 3)]


def test_what_arrives_while_the_network_is_busy_is_its_next_batch() -> None:
    network = Gated()
    network.gate.clear()
    unread = threading.Semaphore(0)

    async def body(scheduler: Scheduler) -> None:
        first = asyncio.ensure_future(scheduler.ask(network.steps(0)))
        await until_busy(network)
        rest = [
            asyncio.ensure_future(scheduler.ask(network.steps(n, lambda _: unread.release())))
            for n in range(1, BATCH)
        ]
        for _ in rest:
            await asyncio.to_thread(unread.acquire, timeout=PATIENCE)
        assert scheduler.waiting == BATCH
        network.gate.set()
        answers = await asyncio.gather(first, *rest)
        assert [answer.label for answer in answers] == [str(n) for n in range(BATCH)]

    run(body)
    assert network.batches[0] == [0]
    assert network.numbers == list(range(BATCH))
    assert len(network.batches[1]) >= BATCH - 2  # the last one read may yet be on its way there


def test_no_batch_is_larger_than_it_may_be() -> None:
    network = Gated()

    async def body(scheduler: Scheduler) -> None:
        answers = await asyncio.gather(*(scheduler.ask(network.steps(n)) for n in range(100)))
        assert [answer.label for answer in answers] == [str(n) for n in range(100)]

    run(body)
    assert max(map(len, network.batches)) <= BATCH
    assert not network.alone[0]


def test_models_share_the_batches_of_a_network_and_a_cascade_goes_on_to_the_second() -> None:
    fast, strong = Gated("fast"), Gated("strong")

    def cascade(number: int) -> Steps:
        answer = yield from fast.steps(number)
        if number % 2:
            answer = yield from strong.steps(number)
        return answer

    async def body(scheduler: Scheduler) -> None:
        answers = await asyncio.gather(
            *(scheduler.ask(cascade(n)) for n in range(8)),
            *(scheduler.ask(fast.steps(n)) for n in range(8, 12)),
            *(scheduler.ask(strong.steps(n)) for n in range(12, 16)),
        )
        assert [answer.label for answer in answers] == [str(n) for n in range(16)]
        assert [answer.decided_by.name for answer in answers[:4]] == ["fast", "strong"] * 2

    run(body)
    assert fast.numbers == list(range(12))
    assert strong.numbers == [1, 3, 5, 7, 12, 13, 14, 15]


def test_a_batch_that_goes_on_to_a_large_network_has_every_free_thread() -> None:
    first, second = Gated("first"), Gated("second")
    second.size = LARGE
    first.gate.clear()
    second.gate.clear()
    read = threading.Semaphore(0)

    def both(number: int) -> Steps:
        yield from first.steps(number, lambda _: read.release())
        return (yield from second.steps(number))

    async def body(scheduler: Scheduler) -> None:
        asked = [asyncio.ensure_future(scheduler.ask(both(0)))]
        await until_busy(first)
        asked += [asyncio.ensure_future(scheduler.ask(both(number))) for number in range(1, 4)]
        for _ in range(4):
            assert await asyncio.to_thread(read.acquire, timeout=PATIENCE)
        first.gate.set()
        for _ in range(4):  # at the same time: none of them ends
            await until_busy(second)
        second.gate.set()
        await asyncio.gather(*asked)

    run(body, threads=4)
    assert sorted(second.batches) == [[0], [1], [2], [3]]


def test_pictures_to_be_read_do_not_keep_a_network_waiting() -> None:
    """Nor does a network that is asked all the time keep another one waiting."""
    often, seldom = Gated("often"), Gated("seldom")
    read: list[int] = []

    def slowly(number: int) -> None:
        time.sleep(0.001)
        read.append(number)

    async def body(scheduler: Scheduler) -> None:
        one = asyncio.ensure_future(scheduler.ask(seldom.steps(1000, slowly)))
        many = [asyncio.ensure_future(scheduler.ask(often.steps(n, slowly))) for n in range(300)]
        await one
        assert len(read) < 150
        await asyncio.gather(*many)

    run(body, threads=1)


def test_two_hundred_who_leave_while_queued_are_neither_read_nor_run() -> None:
    network = Gated()
    network.gate.clear()
    read: list[int] = []

    async def body(scheduler: Scheduler) -> None:
        held = [asyncio.ensure_future(scheduler.ask(network.steps(1000)))]
        await until_busy(network)  # the only thread
        leaving = [
            asyncio.ensure_future(scheduler.ask(network.steps(n, read.append))) for n in range(200)
        ]
        staying = asyncio.ensure_future(scheduler.ask(network.steps(2000, read.append)))
        await asyncio.sleep(0)
        assert scheduler.waiting == 202
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert scheduler.waiting == 2  # their places are free at once
        network.gate.set()
        assert (await staying).label == "2000"
        await asyncio.gather(*held)

    run(body, threads=1)
    assert read == [2000]
    assert network.batches == [[1000], [2000]]


def test_one_who_leaves_after_reading_is_not_run() -> None:
    network = Gated()
    network.gate.clear()
    unread = threading.Semaphore(0)

    async def body(scheduler: Scheduler) -> None:
        first = asyncio.ensure_future(scheduler.ask(network.steps(0)))
        await until_busy(network)
        leaving = [
            asyncio.ensure_future(scheduler.ask(network.steps(n, lambda _: unread.release())))
            for n in (1, 2)
        ]
        for _ in leaving:
            await asyncio.to_thread(unread.acquire, timeout=PATIENCE)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        network.gate.set()
        assert (await first).label == "0"
        assert (await scheduler.ask(network.steps(3))).label == "3"

    run(body)
    assert network.batches == [[0], [3]]


def test_a_failure_is_that_of_its_picture() -> None:
    network = Gated()
    network.failing = {5}

    def broken() -> Steps:
        yield from ()
        raise ValueError("not a picture")

    async def body(scheduler: Scheduler) -> None:
        outcomes = await asyncio.gather(
            *(scheduler.ask(network.steps(n)) for n in range(10)),
            scheduler.ask(broken()),
            return_exceptions=True,
        )
        assert isinstance(outcomes.pop(), ValueError)
        with pytest.raises(RuntimeError, match="registers"):
            raise cast(RuntimeError, outcomes.pop(5))
        labels = [cast(Prediction, each).label for each in outcomes]
        assert labels == [str(n) for n in range(10) if n != 5]

    run(body)


def test_it_says_when_it_is_full() -> None:
    network = Gated()
    network.gate.clear()

    async def body(scheduler: Scheduler) -> None:
        tasks = [asyncio.ensure_future(scheduler.ask(network.steps(n))) for n in range(3)]
        assert scheduler.has_room()
        await asyncio.sleep(0)
        assert not scheduler.has_room()
        network.gate.set()
        await asyncio.gather(*tasks)
        assert scheduler.has_room()

    run(body, limit=3)


def test_those_that_come_together_are_counted_as_they_are_let_in() -> None:
    network = Gated()
    network.gate.clear()

    async def body(scheduler: Scheduler) -> None:
        assert [scheduler.let_in() for _ in range(4)] == [True, True, True, False]
        assert not scheduler.has_room()
        tasks = [asyncio.ensure_future(scheduler.ask(network.steps(n))) for n in range(2)]
        await asyncio.sleep(0)
        assert [scheduler.let_in() for _ in range(2)] == [True, False]
        network.gate.set()
        await asyncio.gather(*tasks)

    run(body, limit=3)


def test_its_end_finishes_what_was_begun() -> None:
    network, before = Gated(), set(threading.enumerate())
    network.gate.clear()

    async def main() -> list[Prediction]:
        with Scheduler(2, 100) as scheduler:
            tasks = [asyncio.ensure_future(scheduler.ask(network.steps(n))) for n in range(20)]
            await until_busy(network)
            network.gate.set()
        return await asyncio.gather(*tasks)

    assert [answer.label for answer in asyncio.run(main())] == [str(n) for n in range(20)]
    left = set(threading.enumerate()) - before
    assert not [each for each in left if each.name.startswith("pictures-")]
