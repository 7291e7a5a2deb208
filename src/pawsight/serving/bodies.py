"""Request bodies: read within bounds, and the pictures taken out of them."""

from __future__ import annotations

from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, TypeVar

from anyio import move_on_after
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pawsight.serving.errors import Refusal, first_words, quoted, respond
from pawsight.serving.only_file import only_file

FILE_FIELD: Final = "file"
FILES_FIELD: Final = "files"

TO_DISK: Final = "/training/datasets"
"""Where a body is written to the disk while it comes, and held by nobody."""

_WORDS: Final = {  # of the form's parser, which says less
    "Invalid multipart data.": "the body is not divided by the boundary that its content type "
    "names, or the header of a part cannot be read; each part begins with a line of `--` and the "
    "boundary, and lines end with CR and LF (RFC 7578)",
    "Missing boundary in multipart.": "the content type names no boundary; leave that header to "
    "the library or program that makes the form",
}
_ENVELOPE: Final = 64 * 1024  # what a form's boundaries and headers may add to its picture
_MAX_FIELDS: Final = 16  # fields of a form beside the files
_PART: Final = 64 * 1024  # bytes of a body that are parsed before anybody else has a turn
_SLOWEST: Final = 64 * 1024  # bytes a second, after a while
_MULTIPART: Final = "multipart/form-data"
# The last is what curl calls everything that --data-binary sends.
_OCTETS: Final = ("", "application/octet-stream", "application/x-www-form-urlencoded")
_MOST_VALUES: Final = 2_000_000  # in a JSON document; parsed, each takes some 60 bytes
_HOW: Final = {
    FILE_FIELD: "send a form (multipart/form-data) with the picture in the field 'file', or the "
    "picture alone as the body with the content type image/* or application/octet-stream",
    FILES_FIELD: "send a form (multipart/form-data) with each picture in a field 'files'",
}


Form = TypeVar("Form", bound=BaseModel)


class Room:
    """ASGI middleware: refuses early what there is no room for.

    Pictures that would wait for too long are refused before anything else is done for them: the
    time that a refusal takes is missing where pictures are answered. And the bodies of all requests
    together hold no more bytes than they may.

    Args:
        app: The application.
        limit: In bytes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes, until the request is answered."""
        if scope["type"] == "http" and scope["path"].startswith("/predict/"):
            try:
                scope["app"].state.service.admit()
            except Refusal as refusal:
                response = await respond(Request(scope), refusal)
                await response(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] == TO_DISK:
            await self._app(scope, receive, send)
            return
        mine = 0

        async def counted() -> Message:
            nonlocal mine
            message = await receive()
            size = len(message.get("body", b""))
            if self._held + size > self._limit:
                raise Refusal(
                    "overloaded",
                    "the pictures that are being sent hold as much memory as they may; try again "
                    "after a second",
                    {"Retry-After": "1", "Connection": "close"},
                )
            self._held += size
            mine += size
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= mine


def bounded(request: Request, limit: int, *, seconds: float, slack: int = 0) -> Request:
    """The same request with a body that refuses to be longer than ``limit + slack`` bytes.

    The declared length is held against the limit at once, and what really comes while it comes: no
    more than the limit is ever kept, whether or not a length was declared and whatever it said.

    Args:
        request: The request.
        limit: In bytes.
        slack: In bytes.
        seconds: That the body may take, and one more for each 64 kB of it.

    Raises:
        Refusal: ``too-large``, now or while the body is read; ``too-slow``, while it is.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit + slack:
        raise _too_large(limit)
    received, start = 0, monotonic()

    async def receive() -> Message:
        nonlocal received
        left = start + seconds + received / _SLOWEST - monotonic()
        with move_on_after(left) as waiting:
            message = await request.receive()
        if waiting.cancelled_caught:
            raise Refusal(
                "too-slow",
                f"too slow: {received:,} bytes of the body in {monotonic() - start:.0f} "
                f"seconds; {seconds:g} are granted, and one more for each 64 kB".replace(",", " "),
                {"Connection": "close"},
            )
        received += len(message.get("body", b""))
        if received > limit + slack:
            raise _too_large(limit)
        return message

    return Request(request.scope, receive)


def _too_large(limit: int) -> Refusal:
    words = f"too large: the body has more than {limit:,} bytes".replace(",", " ")
    # The rest of the body would otherwise have to be read before the connection's next request.
    return Refusal("too-large", words, {"Connection": "close"})


def _again(request: Request, body: bytes) -> Request:
    """A request whose body has been read, to be read once more; others go on in between."""
    start = 0

    async def receive() -> Message:
        nonlocal start
        await sleep(0)
        part = body[start : start + _PART]
        start += _PART
        return {"type": "http.request", "body": part, "more_body": start < len(body)}

    return Request(request.scope, receive)


async def read_picture(request: Request, max_bytes: int, seconds: float) -> bytes:
    """The one picture of a request, sent as the form's field ``file`` or as the whole body.

    Args:
        request: The request.
        max_bytes: Of the picture.
        seconds: That the body may take, and one more for each 64 kB of it.

    Raises:
        Refusal: There is none, there are several, it is too large, it takes too long, or the body
            is neither.
    """
    kind = content_type(request)
    if kind == _MULTIPART:
        limited = bounded(request, max_bytes, slack=_ENVELOPE, seconds=seconds)
        body = await limited.body()
        picture = only_file(request.headers["content-type"], body, FILE_FIELD)
        if picture is not None:
            return picture
        async with _form(_again(request, body), max_files=1) as form:
            [file] = _files(form, FILE_FIELD)
            return await file.read()
    # Without a content type it may be taken for octets (RFC 9110, 8.3); its bytes say what it is.
    if kind in _OCTETS or kind.startswith("image/"):
        body = await bounded(request, max_bytes, seconds=seconds).body()
        if not body and not kind:
            raise Refusal("missing-file", f"there is no body; {_HOW[FILE_FIELD]}")
        return body
    raise unsupported(kind, _HOW[FILE_FIELD])


async def read_fields(
    request: Request, names: Collection[str], max_bytes: int, seconds: float
) -> tuple[dict[str, str], bytes | None]:
    """The text fields of a form, and the picture in its field ``file`` if there is one.

    Args:
        request: A form.
        names: Of the fields that hold text, for what is said of a file in another than ``file``.
        max_bytes: Of the picture.
        seconds: That the body may take, and one more for each 64 kB of it.

    Raises:
        Refusal: It is no form, too large or too slow, ``file`` is text, another field is a file, or
            a field is given twice.
    """
    limited = bounded(request, max_bytes, slack=_ENVELOPE, seconds=seconds)
    async with _form(limited, max_files=1) as form:
        for name, times in Counter(name for name, _ in form.multi_items()).items():
            if times > 1:
                raise Refusal(
                    "invalid-request", f"{quoted(name)}: is given {times} times, not once"
                )
        for name, given in form.items():
            if isinstance(given, UploadFile) and name != FILE_FIELD:
                raise Refusal(
                    "invalid-request",
                    f"{quoted(name)}: is a file, which is taken in the field '{FILE_FIELD}' alone; "
                    f"the fields of text are {', '.join(names)}",
                )
        fields = {name: text for name, text in form.items() if isinstance(text, str)}
        if FILE_FIELD not in form:
            return fields, None
        [file] = _files(form, FILE_FIELD)
        return fields, await file.read()


@asynccontextmanager
async def open_pictures(
    request: Request, max_files: int, max_bytes: int, seconds: float
) -> AsyncIterator[list[UploadFile]]:
    """The pictures of a form's fields ``files``, in their order; closed at the end.

    Args:
        request: The request.
        max_files: The most pictures.
        max_bytes: Of the whole body.
        seconds: That the body may take, and one more for each 64 kB of it.

    Raises:
        Refusal: There are none or too many, the body is too large or too slow, or it is no form.
    """
    kind = content_type(request)
    if kind != _MULTIPART:
        raise unsupported(kind, _HOW[FILES_FIELD])
    limited = bounded(request, max_bytes, seconds=seconds)
    async with _form(limited, max_files=max_files) as form:
        yield _files(form, FILES_FIELD)


def parse_json(document: bytes, form: type[Form]) -> Form:
    """Read a JSON document of a form.

    How deep it may be nested is bounded by pydantic's parser (200), and how many values it holds
    here: what is parsed takes much more memory than its text.

    Raises:
        Refusal: ``invalid-request``: it is no JSON, or not of the form.
    """
    if document.count(b",") + document.count(b"[") + document.count(b"{") > _MOST_VALUES:
        raise Refusal(
            "invalid-request",
            f"the JSON has more than {_MOST_VALUES:,} values".replace(",", " "),
        )
    try:
        return form.model_validate_json(document)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError) -> Refusal:
    """What is wrong with what was sent, without its values."""
    words = first_words(error.errors(include_input=False, include_url=False))
    return Refusal("invalid-request", words)


def content_type(request: Request) -> str:
    """What a request calls its body, in lower case and without parameters; empty if nothing."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(kind: str, how: str) -> Refusal:
    """What is said of a content type.

    Args:
        kind: From :func:`content_type`.
        how: What is to be sent instead, in words.
    """
    said = f"the content type {quoted(kind)} is not read here" if kind else "no content type"
    return Refusal("unsupported-content-type", f"{said}; {how}")


@asynccontextmanager
async def _form(request: Request, *, max_files: int) -> AsyncIterator[FormData]:
    try:
        form = await request.form(max_files=max_files, max_fields=_MAX_FIELDS)
    except HTTPException as error:
        if error.detail.startswith("Too many files"):
            raise Refusal(
                "too-many-files",
                f"too many files: at most {max_files} in a request"
                + ("; /predict/{model}/batch takes many" if max_files == 1 else ""),
            ) from error
        words = _WORDS.get(error.detail, error.detail)
        raise Refusal("invalid-multipart", f"invalid multipart: {words}") from error
    try:
        yield form
    finally:
        await form.close()


def _files(form: FormData, field: str) -> list[UploadFile]:
    sent = form.getlist(field)
    if not sent:
        names = ", ".join(quoted(name) for name in list(form)[:5])
        fields = f"its fields: {names}" if names else "it has no fields, or no last boundary"
        raise Refusal("missing-file", f"the form has no field '{field}'; {fields}; {_HOW[field]}")
    files = [each for each in sent if isinstance(each, UploadFile)]
    if len(files) < len(sent):
        raise Refusal(
            "missing-file",
            f"the field '{field}' holds text and not a file; a file's part has a filename "
            f"(curl: -F {field}=@photo.jpg)",
        )
    return files
