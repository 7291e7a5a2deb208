"""The service as the page sees it: HTTP, and nothing else of pawsight."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
_ABOUT_THE_PICTURE: Final = (400, 413, 415, 422)


class Unavailable(Exception):
    """The service cannot answer now; ``str(error)`` says why."""


class Refused(Exception):
    """The service does not take this picture; ``str(error)`` says why."""


class Model(BaseModel):
    """A model that the service knows.

    Attributes:
        name: What it is asked for by.
        description: One sentence.
        labels: What it tells apart.
    """

    name: str
    description: str = ""
    labels: tuple[str, ...] = ()


class Answerer(BaseModel):
    """Names a model."""

    name: str
    version: str
    source: str


class Answer(BaseModel):
    """The answer about one picture; the fields are those of the service's answer."""

    id: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    score: float
    model: Answerer
    decided_by: Answerer


class _Models(BaseModel):
    models: list[Model]


class _Problem(BaseModel):
    detail: str


_Form = TypeVar("_Form", bound=BaseModel)


class Service:
    """A pawsight service at some address.

    Args:
        url: Of the service, without a path.
        transport: For tests.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=_TIMEOUT, transport=transport)

    def models(self) -> list[Model]:
        """Every model that the service has.

        Raises:
            Unavailable: The service cannot say.
        """
        return self._ask("GET", "/models", _Models).models

    def classify(self, model: str, picture: bytes) -> Answer:
        """Ask a model about the bytes of one picture.

        Raises:
            Refused: The picture cannot be used.
            Unavailable: The service cannot answer.
        """
        return self._ask("POST", f"/predict/{quote(model, safe='')}", Answer, picture)

    def _ask(self, method: str, path: str, form: type[_Form], body: bytes | None = None) -> _Form:
        headers = {} if body is None else {"Content-Type": "application/octet-stream"}
        try:
            response = self._http.request(method, path, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise Unavailable(f"The service at {self.url} takes too long to answer.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"The service at {self.url} does not answer. `pawsight serve` starts one."
            ) from error
        try:
            if response.is_success:
                return form.model_validate_json(response.content)
            words = _Problem.model_validate_json(response.content).detail
        except ValidationError as error:
            raise Unavailable(
                f"What answers at {self.url} is not a pawsight service, or not one of this "
                f"version (status {response.status_code})."
            ) from error
        raise (Refused if response.status_code in _ABOUT_THE_PICTURE else Unavailable)(words)
