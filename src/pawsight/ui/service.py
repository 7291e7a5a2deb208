"""The service as the page sees it: HTTP, and nothing else of pawsight."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

import httpx

from pawsight import client
from pawsight.client import (
    Answer,
    ComparedAnswer,
    Dataset,
    Drift,
    Explained,
    Job,
    Model,
    ModelDetail,
    ModelDrift,
    ModelReference,
    Ready,
    RecordedAnswer,
    ReviewItem,
    Said,
    TrainingStatus,
)

KEY_VARIABLE: Final = "PAWSIGHT_API_KEY"
_ABOUT_WHAT_WAS_SENT: Final = (400, 413, 415, 422)
_GONE: Final = ("", "shutting-down")
_BUSY: Final = ("overloaded", "too-many-requests")
_NO_KEY: Final = "unauthorized"
_TRIES: Final = 5
_LONGEST_PAUSE: Final = 2.0  # seconds
_Said = TypeVar("_Said")

__all__ = [
    "KEY_VARIABLE",
    "Answer",
    "ComparedAnswer",
    "Dataset",
    "Drift",
    "Explained",
    "Job",
    "Model",
    "ModelDetail",
    "ModelDrift",
    "ModelReference",
    "Ready",
    "RecordedAnswer",
    "Refused",
    "ReviewItem",
    "Said",
    "Service",
    "TrainingStatus",
    "Unavailable",
]


class Unavailable(Exception):
    """The service cannot answer now; ``str(error)`` says why.

    Attributes:
        code: Of the service's problem; empty where it said nothing.
    """

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.code = code

    @property
    def gone(self) -> bool:
        """Whether nothing answers, which may be over in a moment."""
        return self.code in _GONE


class Refused(Exception):
    """The service does not take what was sent; ``str(error)`` says why."""


class Service:
    """A pawsight service at some address; where it asks for a key, that of ``$PAWSIGHT_API_KEY``.

    Every method raises :class:`Refused` where what was sent cannot be used, and
    :class:`Unavailable` where the service cannot answer. One that is busy is asked again.

    Args:
        url: Of the service, without a path.
        transport: For tests.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self._transport = transport
        self._opened: client.Client | None = None

    @property
    def _client(self) -> client.Client:
        """What asks.

        Raises:
            Unavailable: The address is none.
        """
        if self._opened is None:
            key = os.environ.get(KEY_VARIABLE)
            try:
                self._opened = client.Client(self.url, api_key=key, transport=self._transport)
            except ValueError as error:
                raise Unavailable(str(error)) from error
        return self._opened

    def models(self) -> list[Model]:
        """Every model that the service has."""
        return self._ask(lambda service: service.models())

    def card(self, model: str) -> ModelDetail:
        """A model with its whole card."""
        return self._ask(lambda service: service.card(model))

    def ready(self) -> Ready:
        """What runs, and how the record is doing."""
        return self._ask(lambda service: service.ready())

    def is_back(self) -> bool:
        """Whether it can be asked again."""
        try:
            self.ready()
        except (Refused, Unavailable):
            return False
        return True

    def classify(self, model: str, picture: bytes) -> Answer:
        """Ask a model about the bytes of one picture."""
        return self._ask(lambda service: service.predict(picture, model))

    def explain(self, model: str, picture: bytes) -> Explained:
        """Ask a model why: the picture, coloured."""
        return self._ask(lambda service: service.explain(picture, model))

    def compare(self, picture: bytes) -> list[ComparedAnswer]:
        """Ask every model about one picture."""
        return self._ask(lambda service: service.compare(picture))

    def say(self, id_: str, label: str, picture: bytes | None = None) -> Said:
        """Say what would have been right for an answer, and leave the picture to be trained on."""
        return self._ask(lambda service: service.feedback(id_, label, picture=picture))

    def to_review(self, limit: int, model: str | None = None) -> list[ReviewItem]:
        """The pictures to look at, those first whose right answer teaches most."""
        return self._ask(lambda service: service.to_review(limit, model))

    def decided(self, limit: int, digest: str | None = None) -> list[RecordedAnswer]:
        """The answers of which something was said, or those about a picture; the latest first."""
        return self._ask(lambda service: service.decided(limit, digest))

    def kept_picture(self, id_: str) -> bytes:
        """The picture of a recorded answer, if it is kept."""
        return self._ask(lambda service: service.recorded_picture(id_))

    def drift(self) -> Drift:
        """Whether what comes in is like what the models were chosen on."""
        return self._ask(lambda service: service.drift())

    def send_dataset(self, archive: bytes) -> Dataset:
        """Send a ZIP of pictures to train on; each is looked at."""
        return self._ask(lambda service: service.send_dataset(archive))

    def train(
        self, dataset: str, name: str, method: str, start: str | None, epochs: int | None
    ) -> Job:
        """Train a model on pictures that were sent."""
        return self._ask(
            lambda service: service.train(dataset, name, method=method, start=start, epochs=epochs)
        )

    def jobs(self) -> list[Job]:
        """All trainings, the newest first."""
        return self._ask(lambda service: service.jobs())

    def job(self, id_: str) -> Job:
        """How a training stands."""
        return self._ask(lambda service: service.job(id_))

    def cancel(self, id_: str) -> Job:
        """End a training."""
        return self._ask(lambda service: service.cancel(id_))

    def remove_job(self, id_: str) -> Job:
        """Have a training that has ended be listed no more."""
        return self._ask(lambda service: service.remove_job(id_))

    def remove(self, model: str) -> Model:
        """Have a model that was trained there answer no more."""
        return self._ask(lambda service: service.remove(model))

    def _ask(self, ask: Callable[[client.Client], _Said], tries: int = _TRIES) -> _Said:
        try:
            return ask(self._client)
        except client.Refused as error:
            problem = error.problem
            if problem.code == _NO_KEY:
                raise Unavailable(_about_the_key(), problem.code) from error
            if problem.status in _ABOUT_WHAT_WAS_SENT:
                raise Refused(problem.detail) from error
            if tries == 1 or error.retry_after is None or problem.code not in _BUSY:
                raise Unavailable(problem.detail, problem.code) from error
            pause = error.retry_after
        except client.ClientError as error:
            raise Unavailable(str(error)) from error
        time.sleep(min(pause, _LONGEST_PAUSE))
        return self._ask(ask, tries - 1)


def _about_the_key() -> str:
    """What whoever sees the page is told, who cannot send a key: that is done by who runs it."""
    if os.environ.get(KEY_VARIABLE):
        return (
            f"the service does not know this page's key: whoever runs the page sets {KEY_VARIABLE} "
            "to one that it knows, and starts it again"
        )
    return (
        "the service asks for a key, and this page has none: whoever runs the page sets "
        f"{KEY_VARIABLE}, and starts it again"
    )
