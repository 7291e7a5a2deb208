"""The async client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import BinaryIO, Final, TypeVar

import httpx
from anyio import to_thread

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

_PART: Final = 1 << 20  # bytes of a file that are read at once

Form = TypeVar("Form")


class AsyncClient:
    """A pawsight service at some address, for asyncio and trio.

    Every method raises :class:`~pawsight.client.Refused` where the service says no,
    :class:`~pawsight.client.Unreachable` and :class:`~pawsight.client.TooSlow` where it does not
    answer, and :class:`~pawsight.client.NoService` where something else does; their common base is
    :class:`~pawsight.client.ClientError`. A path that cannot be read raises OSError; files are read
    by threads.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = requests.address(url)
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers=requests.headers(api_key),
            timeout=timeout,
            transport=transport,
        )

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def predict(self, picture: Picture, model: str = "auto") -> Answer:
        """Ask a model about one picture: its path, its bytes, or a file that is open for them."""
        return await self._ask(await to_thread.run_sync(requests.predict, picture, model))

    async def predict_batch(self, pictures: Sequence[Picture], model: str = "auto") -> list[Record]:
        """Ask about many pictures at once; one that cannot be used has a problem in its record."""
        request = await to_thread.run_sync(requests.predict_batch, pictures, model)
        return (await self._ask(request)).records

    async def predict_each(
        self, pictures: Iterable[Picture], model: str = "auto"
    ) -> AsyncIterator[Record]:
        """Ask about any number of pictures, as the sync client does.

        They are taken and read by another thread, a batch at a time.
        """
        batches = requests.batches(pictures, model)
        while batch := await to_thread.run_sync(next, batches, None):
            for record in (await self._ask(batch)).records:
                yield record

    async def explain(
        self, picture: Picture, model: str = "auto", label: str | None = None
    ) -> Explained:
        """Ask why: the picture, coloured by what spoke for a class, by default the likeliest."""
        return await self._ask(await to_thread.run_sync(requests.explain, picture, model, label))

    async def compare(self, picture: Picture) -> list[ComparedAnswer]:
        """Ask every model about one picture."""
        return (await self._ask(await to_thread.run_sync(requests.compare, picture))).answers

    async def feedback(
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
        request = await to_thread.run_sync(requests.feedback, id_, label, comment, picture)
        return await self._ask(request)

    async def to_review(self, limit: int = 50, model: str | None = None) -> list[ReviewItem]:
        """The pictures that nothing was said of, those first whose right answer teaches most.

        Args:
            limit: The most pictures.
            model: Only what it and models of the same labels answered.
        """
        return (await self._ask(requests.to_review(limit, model))).pictures

    async def decided(self, limit: int = 50, digest: str | None = None) -> list[RecordedAnswer]:
        """The answers of which something was said, or those about a picture; the latest first."""
        return (await self._ask(requests.decided(limit, digest))).answers

    async def recorded(self, id_: str) -> RecordedAnswer:
        """An answer that was given before, if it is on the service's disk."""
        return await self._ask(requests.recorded(id_))

    async def recorded_picture(self, id_: str) -> bytes:
        """The picture of such an answer, if it is kept."""
        return await self._ask(requests.recorded_picture(id_))

    async def models(self) -> list[Model]:
        """Every model that the service has."""
        return (await self._ask(requests.models())).models

    async def card(self, model: str) -> ModelDetail:
        """A model with its whole card."""
        return await self._ask(requests.card(model))

    async def send_dataset(self, archive: Archive) -> Dataset:
        """Send a ZIP of pictures to train on, by its path or its bytes; each is looked at."""
        with await to_thread.run_sync(requests.opened, archive) as file:
            return await self._ask(requests.send_dataset(_parts(file), requests.size_of(file)))

    async def train(
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
        return await self._ask(requests.train(dataset, name, method, start, epochs))

    async def jobs(self) -> list[Job]:
        """All trainings, the newest first."""
        return (await self._ask(requests.jobs())).jobs

    async def job(self, id_: str) -> Job:
        """How a training stands."""
        return await self._ask(requests.job(id_))

    async def cancel(self, id_: str) -> Job:
        """End a training; one that has ended stays as it ended."""
        return await self._ask(requests.cancel(id_))

    async def remove_job(self, id_: str) -> Job:
        """Have a training that has ended be listed no more; its model stays."""
        return await self._ask(requests.remove_job(id_))

    async def remove(self, model: str) -> Model:
        """Remove a model that was trained there; `pawsight models back` undoes it."""
        return await self._ask(requests.remove(model))

    async def drift(self) -> Drift:
        """Whether what comes in is like what the models were chosen on."""
        return await self._ask(requests.drift())

    async def ready(self) -> Ready:
        """That pictures can be sent; refused while they cannot."""
        return await self._ask(requests.ready())

    async def _ask(self, request: Request[Form]) -> Form:
        with requests.translated(self.url):
            response = await self._http.request(request.method, request.path, **request.options)
        return request.read(response)


async def _parts(file: BinaryIO) -> AsyncIterator[bytes]:
    while part := await to_thread.run_sync(file.read, _PART):
        yield part
