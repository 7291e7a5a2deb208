"""The sync client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

import httpx

from pawsight.client import requests
from pawsight.client.forms import (
    Answer,
    ComparedAnswer,
    Explained,
    Record,
    RecordedAnswer,
    ReviewItem,
    Said,
)
from pawsight.client.requests import TIMEOUT, Archive, Picture, Request
from pawsight.client.service_forms import Drift, Model, ModelDetail, Ready
from pawsight.client.training_forms import Dataset, Job

Form = TypeVar("Form")


class Client:
    """A pawsight service at some address.

    Every method raises :class:`~pawsight.client.Refused` where the service says no,
    :class:`~pawsight.client.Unreachable` and :class:`~pawsight.client.TooSlow` where it does not
    answer, and :class:`~pawsight.client.NoService` where something else does; their common base is
    :class:`~pawsight.client.ClientError`. A path that cannot be read raises OSError.

    Args:
        url: Of the service, without a path.
        api_key: Where the service asks for one.
        timeout: For each request, in seconds.
        transport: For tests.

    Raises:
        ValueError: The address is none, or the key.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout: float | httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = requests.address(url)
        self._http = httpx.Client(
            base_url=self.url,
            headers=requests.headers(api_key),
            timeout=timeout,
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def predict(self, picture: Picture, model: str = "auto") -> Answer:
        """Ask a model about one picture: its path, its bytes, or a file that is open for them."""
        return self._ask(requests.predict(picture, model))

    def predict_batch(self, pictures: Sequence[Picture], model: str = "auto") -> list[Record]:
        """Ask about many pictures at once; one that cannot be used has a problem in its record."""
        return self._ask(requests.predict_batch(pictures, model)).records

    def predict_each(self, pictures: Iterable[Picture], model: str = "auto") -> Iterator[Record]:
        """Ask about any number of pictures, in their order, a batch of at most eight at a time.

        Each has a record, with a problem where the service cannot use it; those of a batch are
        there before the next is sent. Before the OSError of a path that cannot be read come the
        records of those before it. A refusal, of too many requests say, ends it: pictures that were
        taken and have no record yet are to be asked about again.
        """
        batches = requests.batches(pictures, model)
        return (record for batch in batches for record in self._ask(batch).records)

    def explain(self, picture: Picture, model: str = "auto", label: str | None = None) -> Explained:
        """Ask why: the picture, coloured by what spoke for a class, by default the likeliest."""
        return self._ask(requests.explain(picture, model, label))

    def compare(self, picture: Picture) -> list[ComparedAnswer]:
        """Ask every model about one picture."""
        return self._ask(requests.compare(picture)).answers

    def feedback(
        self,
        id_: str,
        label: str,
        *,
        comment: str | None = None,
        picture: Picture | None = None,
    ) -> Said:
        """Say which label would have been right for an answer, or that it is ``wrong``.

        Args:
            id_: Of the answer.
            label: One of its model's classes, ``neither``, or ``wrong``.
            comment: Whatever else is to be said.
            picture: The same that was answered, to be kept and trained on.
        """
        return self._ask(requests.feedback(id_, label, comment, picture))

    def to_review(self, limit: int = 50, model: str | None = None) -> list[ReviewItem]:
        """The pictures that nothing was said of, those first whose right answer teaches most.

        Args:
            limit: The most pictures.
            model: Only what it and models of the same labels answered.
        """
        return self._ask(requests.to_review(limit, model)).pictures

    def decided(self, limit: int = 50, digest: str | None = None) -> list[RecordedAnswer]:
        """The answers of which something was said, or those about a picture; the latest first."""
        return self._ask(requests.decided(limit, digest)).answers

    def recorded(self, id_: str) -> RecordedAnswer:
        """An answer that was given before, if it is on the service's disk."""
        return self._ask(requests.recorded(id_))

    def recorded_picture(self, id_: str) -> bytes:
        """The picture of such an answer, if it is kept."""
        return self._ask(requests.recorded_picture(id_))

    def models(self) -> list[Model]:
        """Every model that the service has."""
        return self._ask(requests.models()).models

    def card(self, model: str) -> ModelDetail:
        """A model with its whole card."""
        return self._ask(requests.card(model))

    def send_dataset(self, archive: Archive) -> Dataset:
        """Send a ZIP of pictures to train on, by its path or its bytes; each is looked at."""
        with requests.opened(archive) as file:
            return self._ask(requests.send_dataset(file, requests.size_of(file)))

    def train(
        self,
        dataset: str,
        name: str,
        *,
        method: str = "head",
        start: str | None = None,
        epochs: int | None = None,
    ) -> Job:
        """Train a model on pictures that were sent.

        Args:
            dataset: Their id.
            name: Of the model to be.
            method: ``head``, a new one on a model's features, or ``full``, from random weights.
            start: That model; by default the service's ``custom``.
            epochs: Of a full training.
        """
        return self._ask(requests.train(dataset, name, method, start, epochs))

    def jobs(self) -> list[Job]:
        """All trainings, the newest first."""
        return self._ask(requests.jobs()).jobs

    def job(self, id_: str) -> Job:
        """How a training stands."""
        return self._ask(requests.job(id_))

    def cancel(self, id_: str) -> Job:
        """End a training; one that has ended stays as it ended."""
        return self._ask(requests.cancel(id_))

    def remove_job(self, id_: str) -> Job:
        """Have a training that has ended be listed no more; its model stays."""
        return self._ask(requests.remove_job(id_))

    def remove(self, model: str) -> Model:
        """Remove a model that was trained there; `pawsight models back` undoes it."""
        return self._ask(requests.remove(model))

    def drift(self) -> Drift:
        """Whether what comes in is like what the models were chosen on."""
        return self._ask(requests.drift())

    def ready(self) -> Ready:
        """That pictures can be sent; refused while they cannot."""
        return self._ask(requests.ready())

    def _ask(self, request: Request[Form]) -> Form:
        with requests.translated(self.url):
            response = self._http.request(request.method, request.path, **request.options)
        return request.read(response)
