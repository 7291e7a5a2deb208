"""The service as the page sees it: HTTP, and nothing else of pawsight."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeVar

import httpx

from pawsight import client
from pawsight.client import Answer, Model, ModelReference

KEY_VARIABLE: Final = "PAWSIGHT_API_KEY"
_ABOUT_THE_PICTURE: Final = (400, 413, 415, 422)
_Said = TypeVar("_Said")

Answerer = ModelReference

__all__ = ["KEY_VARIABLE", "Answer", "Answerer", "Model", "Refused", "Service", "Unavailable"]


class Unavailable(Exception):
    """The service cannot answer now; ``str(error)`` says why."""


class Refused(Exception):
    """The service does not take this picture; ``str(error)`` says why."""


class Service:
    """A pawsight service at some address; where it asks for a key, that of ``$PAWSIGHT_API_KEY``.

    Args:
        url: Of the service, without a path.
        transport: For tests.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
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
                self._opened = client.Client(self._url, api_key=key, transport=self._transport)
            except ValueError as error:
                raise Unavailable(str(error)) from error
        return self._opened

    def models(self) -> list[Model]:
        """Every model that the service has.

        Raises:
            Unavailable: The service cannot say.
        """
        return _asked(self._client.models)

    def classify(self, model: str, picture: bytes) -> Answer:
        """Ask a model about the bytes of one picture.

        Raises:
            Refused: The picture cannot be used.
            Unavailable: The service cannot answer.
        """
        return _asked(lambda: self._client.predict(picture, model))


def _asked(ask: Callable[[], _Said]) -> _Said:
    try:
        return ask()
    except client.Refused as error:
        about_it = error.problem.status in _ABOUT_THE_PICTURE
        raise (Refused if about_it else Unavailable)(error.problem.detail) from error
    except client.ClientError as error:
        raise Unavailable(str(error)) from error
