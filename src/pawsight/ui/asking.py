"""Many pictures, asked about a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from pawsight.ui.pictures import Picture
from pawsight.ui.service import Refused, Service, Unavailable
from pawsight.ui.words import Outcome, full_stop

AT_ONCE: Final = 4
"""Pictures that one page has on the way: the service batches them, and has room for others."""

Asked = tuple[str, str, str]
"""A picture's key, and the name and the version of a model."""


def ask(service: Service, model: str, picture: Picture) -> Outcome:
    """What becomes of one picture.

    Raises:
        Unavailable: The service cannot answer.
    """
    try:
        answer = service.classify(model, picture.read())
    except Refused as error:
        return Outcome(picture.name, error=full_stop(str(error)))
    return Outcome(picture.name, answer)


def ask_all(
    ask_one: Callable[[Picture], Outcome],
    waiting: Sequence[Picture],
    answered: Callable[[Picture, Outcome], None],
) -> None:
    """Ask about each picture, and tell of each as soon as it is answered.

    Whatever ends this, what was answered before has been told.

    Args:
        ask_one: Asks about one.
        waiting: To ask about.
        answered: Is told of each, in the caller's thread.

    Raises:
        Unavailable: The service cannot answer; the words say how many it had answered.
    """
    pool = ThreadPoolExecutor(AT_ONCE)
    asked = {pool.submit(ask_one, each): each for each in waiting}
    trouble: Unavailable | None = None
    try:
        for future in as_completed(asked):
            try:
                outcome = future.result()
            except Unavailable as error:
                trouble = error
                break
            answered(asked.pop(future), outcome)
    finally:
        pool.shutdown(wait=trouble is not None, cancel_futures=True)
    if trouble is None:
        return
    late = [each for each in asked if not each.cancelled() and each.exception() is None]
    for future in late:  # it was on the way when the trouble came
        answered(asked[future], future.result())
    done = len(waiting) - len(asked) + len(late)
    words = f"{full_stop(str(trouble))} It had answered {done} of {len(waiting)} before."
    raise Unavailable(words, trouble.code) from trouble
