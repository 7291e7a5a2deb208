"""What is asked and how the answer is read: all of a client but the waiting."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, TypeAlias, TypeVar, cast
from urllib.parse import quote, unquote

import httpx
from pydantic import TypeAdapter

from pawsight.client.errors import NoService, Refused, TooSlow, Unreachable
from pawsight.client.forms import (
    Answer,
    Comparison,
    Decided,
    Explained,
    Problem,
    RecordedAnswer,
    Records,
    ReviewQueue,
    Said,
)
from pawsight.client.service_forms import Drift, Model, ModelDetail, Models, Ready
from pawsight.client.training_forms import Dataset, Job, Jobs

TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)

CHECKING: Final = httpx.Timeout(600.0, connect=5.0)
"""For an archive, every picture of which is looked at before it is answered."""

_BATCH: Final = 8
"""Pictures that are sent at once, where any number may come: far fewer than services let in."""
_BATCH_BYTES: Final = 64 * 1024 * 1024

Archive: TypeAlias = "str | PathLike[str] | bytes"
"""The path of a file, or its bytes."""

Picture: TypeAlias = "Archive | bytearray | memoryview | BinaryIO"
"""The path of a file, its bytes, or a file that is open in binary mode, read from where it is."""

_Octets: Final = bytes | bytearray | memoryview

Form = TypeVar("Form")


@dataclass(frozen=True)
class Request(Generic[Form]):
    """What to ask, and what the answer is.

    Attributes:
        method: Of HTTP.
        path: At the service.
        form: Of the answer.
        options: For httpx.
    """

    method: str
    path: str
    form: type[Form]
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, response: httpx.Response) -> Form:
        """The answer.

        Raises:
            Refused: The service said no.
            NoService: It is no pawsight service.
        """
        try:
            if not response.is_success:
                said = Problem.model_validate_json(response.content)
                problem = said.model_copy(update={"status": response.status_code})
            elif self.form is Explained:
                return cast(Form, Explained(response.content, **_said(response)))
            elif self.form is bytes:
                return cast(Form, response.content)
            else:
                return TypeAdapter(self.form).validate_json(response.content)
        except (KeyError, ValueError) as error:
            url = f"{response.url.scheme}://{response.url.netloc.decode()}"
            raise NoService(url, response.status_code) from error
        raise Refused(problem, _seconds(response.headers.get("retry-after", "")))


def address(url: str) -> str:
    """A service's address, without a slash at its end.

    Raises:
        ValueError: It is none.
    """
    try:
        parts = httpx.URL(url)
        known = parts.scheme in ("http", "https") and bool(parts.host)
    except httpx.InvalidURL:  # which is no ValueError
        known = False
    if not known:
        raise ValueError(f"no address of a service: {url!r}; one is http://127.0.0.1:8000")
    return url.rstrip("/")


def headers(api_key: str | None) -> dict[str, str]:
    """What every request says.

    Raises:
        ValueError: The key is none that a header can carry.
    """
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise ValueError(
            "an API key has letters, digits and signs of ASCII alone; this one has something else, "
            "such as the end of a line from a file"
        )
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Name what goes wrong on the way.

    Raises:
        TooSlow, Unreachable: In place of httpx's own.
    """
    try:
        yield
    except httpx.TimeoutException as error:
        raise TooSlow(f"the service at {url} takes too long to answer") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(
            f"the service at {url} does not answer. `pawsight serve` starts one."
        ) from error


def predict(picture: Picture, model: str) -> Request[Answer]:
    """Ask a model about a picture."""
    return Request("POST", f"/predict/{_part(model)}", Answer, _body(picture))


def predict_batch(pictures: Sequence[Picture], model: str) -> Request[Records]:
    """Ask a model about many pictures.

    Raises:
        TypeError: It is one picture.
        ValueError: There are none.
    """
    _refuse_one(pictures)
    if not pictures:
        raise ValueError("there are no pictures in the list")
    return _about(
        [(_name(each, number), _bytes(each)) for number, each in enumerate(pictures)], model
    )


def batches(pictures: Iterable[Picture], model: str) -> Iterator[Request[Records]]:
    """Ask a model about any number of pictures, which are read a batch at a time.

    Where one cannot be read, or no next one be had, those before it come first.

    Raises:
        TypeError: It is one picture.
    """
    _refuse_one(pictures)
    return _batches(pictures, model)


def _batches(pictures: Iterable[Picture], model: str) -> Iterator[Request[Records]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    try:
        for number, picture in enumerate(pictures):
            data = _bytes(picture)
            if batch and (len(batch) == _BATCH or size + len(data) > _BATCH_BYTES):
                yield _about(batch, model)
                batch, size = [], 0
            batch.append((_name(picture, number), data))
            size += len(data)
    except Exception:
        if batch:
            yield _about(batch, model)
        raise
    if batch:
        yield _about(batch, model)


def _about(files: Sequence[tuple[str, bytes]], model: str) -> Request[Records]:
    options = {"files": [("files", file) for file in files]}
    return Request("POST", f"/predict/{_part(model)}/batch", Records, options)


def _refuse_one(pictures: object) -> None:
    if isinstance(pictures, str | PathLike | _Octets) or hasattr(pictures, "read"):
        raise TypeError(
            "many pictures are a list of paths, bytes or open files; of one, ask predict"
        )


def explain(picture: Picture, model: str, label: str | None) -> Request[Explained]:
    """Ask a model why."""
    params = {} if label is None else {"label": label}
    options = {**_body(picture), "params": params}
    return Request("POST", f"/explain/{_part(model)}", Explained, options)


def compare(picture: Picture) -> Request[Comparison]:
    """Ask all models."""
    return Request("POST", "/compare", Comparison, _body(picture))


def feedback(id_: str, label: str, comment: str | None, picture: Picture | None) -> Request[Said]:
    """Say what would have been right."""
    said = {"id": id_, "label": label, **({} if comment is None else {"comment": comment})}
    if picture is None:
        return Request("POST", "/feedback", Said, {"json": said})
    files = {"file": (_name(picture, 0), _bytes(picture))}
    return Request("POST", "/feedback", Said, {"data": said, "files": files})


def to_review(limit: int, model: str | None) -> Request[ReviewQueue]:
    """Ask what to look at."""
    params = {"limit": limit, **({} if model is None else {"model": model})}
    return Request("GET", "/feedback/queue", ReviewQueue, {"params": params})


def decided(limit: int, digest: str | None) -> Request[Decided]:
    """Ask what was said."""
    params = {"limit": limit, **({} if digest is None else {"digest": digest})}
    return Request("GET", "/feedback", Decided, {"params": params})


def recorded(id_: str) -> Request[RecordedAnswer]:
    """Ask for an answer that was given before."""
    return Request("GET", f"/records/{_part(id_)}", RecordedAnswer)


def recorded_picture(id_: str) -> Request[bytes]:
    """Ask for its picture."""
    return Request("GET", f"/records/{_part(id_)}/picture", bytes)


def models() -> Request[Models]:
    """Ask which models there are."""
    return Request("GET", "/models", Models)


def card(model: str) -> Request[ModelDetail]:
    """Ask for a model's card."""
    return Request("GET", f"/models/{_part(model)}", ModelDetail)


def opened(archive: Archive) -> BinaryIO:
    """A ZIP, to be read a part at a time: it may be larger than the memory.

    Raises:
        OSError: It cannot be read.
    """
    return io.BytesIO(archive) if isinstance(archive, bytes) else Path(archive).open("rb")


def send_dataset(content: BinaryIO | AsyncIterator[bytes], size: int) -> Request[Dataset]:
    """Send pictures to train on: the parts of a ZIP of so many bytes."""
    headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
    options = {"content": content, "headers": headers, "timeout": CHECKING}
    return Request("POST", "/training/datasets", Dataset, options)


def size_of(file: BinaryIO) -> int:
    """How many bytes an open file has."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def train(
    dataset: str, name: str, method: str, start: str | None, epochs: int | None
) -> Request[Job]:
    """Ask for a training."""
    form = {"dataset": dataset, "name": name, "method": method, "start": start, "epochs": epochs}
    return Request("POST", "/training/jobs", Job, {"json": form})


def jobs() -> Request[Jobs]:
    """Ask for all trainings."""
    return Request("GET", "/training/jobs", Jobs)


def job(id_: str) -> Request[Job]:
    """Ask how a training stands."""
    return Request("GET", f"/training/jobs/{_part(id_)}", Job)


def cancel(id_: str) -> Request[Job]:
    """End a training."""
    return Request("POST", f"/training/jobs/{_part(id_)}/cancel", Job)


def remove_job(id_: str) -> Request[Job]:
    """Have a training that has ended be listed no more."""
    return Request("DELETE", f"/training/jobs/{_part(id_)}", Job)


def remove(model: str) -> Request[Model]:
    """Remove a model that was trained there."""
    return Request("DELETE", f"/models/{_part(model)}", Model)


def drift() -> Request[Drift]:
    """Ask whether what comes in has changed."""
    return Request("GET", "/drift", Drift)


def ready() -> Request[Ready]:
    """Ask whether pictures can be sent."""
    return Request("GET", "/health/ready", Ready)


def _part(name: str) -> str:
    """A name as one part of a path, whatever it holds."""
    return quote(name, safe="")


def _bytes(picture: Picture) -> bytes:
    if isinstance(picture, str | PathLike):
        return Path(picture).read_bytes()
    if isinstance(picture, io.TextIOBase):
        raise TypeError("a picture is read from a file that is open in binary mode: open(…, 'rb')")
    data = picture.read() if hasattr(picture, "read") else picture
    if isinstance(data, _Octets):
        return bytes(data)
    raise TypeError(f"a picture is a path, bytes or an open file; this is {type(data).__name__}")


def _name(picture: Picture, number: int) -> str:
    return os.path.basename(picture) if isinstance(picture, str | PathLike) else str(number)


def _body(picture: Picture) -> dict[str, Any]:
    octets = {"Content-Type": "application/octet-stream"}
    return {"content": _bytes(picture), "headers": octets}


def _said(response: httpx.Response) -> dict[str, Any]:
    names = ("label", "model", "decided_by", "explained", "method")
    said: dict[str, Any] = {
        name: unquote(response.headers[f"x-pawsight-{name.replace('_', '-')}"]) for name in names
    }
    return {**said, "confidence": float(response.headers["x-pawsight-confidence"])}


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdecimal() else None
