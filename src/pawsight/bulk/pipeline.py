"""Pictures in, records out: every processor decodes and answers batches of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pawsight.bulk.fetching import fetched
from pawsight.bulk.items import Fingerprint, Item
from pawsight.bulk.rows import Record, reason
from pawsight.images.decode import DEFAULT_LIMITS, Limits
from pawsight.images.errors import ImageError
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction

_BATCH: Final = 8  # as fast as 16, and all processors are busy sooner, and until nearer to the end


def classify(
    model: Model, items: Iterable[Item], workers: int, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Record]:
    """Classify a stream of pictures, in its order.

    A picture that cannot be used gets a record that says so. The stream is read a few batches ahead
    of what was answered, never whole: memory does not grow with it.

    Args:
        model: Best with networks of one thread each.
        items: Any number.
        workers: Threads, each of which takes batches through all of decoding and answering: they
            wait for each other only where the interpreter makes them.
        limits: What a picture may cost.
    """
    waiting = fetched(items, limits)
    pool = ThreadPoolExecutor(workers)
    ahead: deque[Future[list[Record]]] = deque()

    def begin_next() -> None:
        if batch := list(islice(waiting, _BATCH)):
            ahead.append(pool.submit(_answer, model, batch, limits))

    try:
        for _ in range(2 * workers):
            begin_next()
        while ahead:
            records = ahead.popleft().result()
            begin_next()
            yield from records
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Read:
    """An item as far as it could be read: as the model takes it, or why not."""

    item: Item
    fingerprint: Fingerprint | None
    picture: Any
    error: str | None


def _answer(
    model: Any,  # noqa: ANN401 - see _Read.picture
    batch: list[Item],
    limits: Limits,
) -> list[Record]:
    read = [_read(model, item, limits) for item in batch]
    good = [each.picture for each in read if each.error is None]
    answers: Iterator[Prediction] = iter(model.answer(good) if good else ())
    return [
        Record(
            each.item.name,
            None if each.error else next(answers),
            each.error,
            each.fingerprint,
        )
        for each in read
    ]


def _read(model: Any, item: Item, limits: Limits) -> _Read:  # noqa: ANN401 - see _Read.picture
    fingerprint = None
    try:
        fingerprint = item.fingerprint()  # before it is read: what changes meanwhile is noticed
        return _Read(item, fingerprint, model.read(item.read(limits), limits), None)
    except (ImageError, OSError) as error:
        return _Read(item, fingerprint, None, reason(error))
