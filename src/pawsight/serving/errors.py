"""Every way in which the service says no, as RFC 9457 problem documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from pawsight.images.errors import ImageError
from pawsight.invalid import fault

MEDIA_TYPE: Final = "application/problem+json"

_LONGEST: Final = 60  # letters of a client's text in a message


class _Kind(NamedTuple):
    status: int
    title: str
    example: str


_KINDS: Final = {
    "not-an-image": _Kind(415, "Not an image", "not an image: the file is empty"),
    "unsupported-format": _Kind(
        415, "Unsupported picture format", "unsupported format: SVG (supported: JPEG, PNG, …)"
    ),
    "truncated": _Kind(
        422, "Truncated picture", "truncated: the JPEG ends before its picture does"
    ),
    "damaged": _Kind(422, "Damaged picture", "damaged: this PNG cannot be decoded"),
    "unusable-image": _Kind(422, "Unusable picture", "this picture cannot be used"),
    "too-large": _Kind(413, "Too large", "too large: 30000×30000 pixels, limit 52 million"),
    "too-small": _Kind(422, "Too small", "too small: 1×1 pixels show nothing, at least 8×8 do"),
    "too-many-files": _Kind(413, "Too many files", "too many files: at most 64 in a request"),
    "missing-file": _Kind(
        422, "No picture in the request", "the form has no field 'file'; its fields: 'image'"
    ),
    "invalid-multipart": _Kind(
        400, "Invalid multipart body", "invalid multipart: the content type names no boundary; …"
    ),
    "unsupported-content-type": _Kind(
        415,
        "Unsupported content type",
        "the content type 'text/plain' is not read here; send a form (multipart/form-data), or …",
    ),
    "invalid-http": _Kind(400, "Invalid HTTP", "this is no HTTP that can be read: …"),
    "header-too-large": _Kind(431, "Header too large", "the header has more than 64 kB"),
    "too-slow": _Kind(
        408,
        "Too slow",
        "too slow: 1 024 bytes of the body in 20 seconds; 20 are granted, and one more for each "
        "64 kB",
    ),
    "precondition-failed": _Kind(
        412,
        "Precondition failed",
        "the answer that If-None-Match names is still the one",
    ),
    "overloaded": _Kind(
        503,
        "Overloaded",
        "64 pictures may wait for an answer, and no more can now; try again after a second",
    ),
    "shutting-down": _Kind(503, "Shutting down", "the service is being stopped"),
    "invalid-request": _Kind(422, "Invalid request", "query.limit: must be a whole number"),
    "unknown-model": _Kind(
        404, "Unknown model", "no model 'dog'; this service has auto, custom, pretrained"
    ),
    "unauthorized": _Kind(
        401,
        "Key needed",
        "a key is needed here; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
    ),
    "forbidden": _Kind(403, "Not allowed", "the key 'shop' may not load models: it is not `admin`"),
    "too-many-requests": _Kind(429, "Too many requests", "the key 'shop' may ask 100 per 1 minute"),
    "broken-model": _Kind(
        422,
        "Broken model",
        "model folder 'custom-2': model.onnx was changed: its SHA-256 is not the one in model.json",
    ),
    "unknown-label": _Kind(404, "Unknown label", "no class 'wolf'; this model has cat, dog"),
    "unknown-answer": _Kind(
        404,
        "Unknown answer",
        "no answer '6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a' is recorded here: none had this id, it was "
        "lost before it was written, or it has been deleted because of its age",
    ),
    "no-picture": _Kind(
        404,
        "No picture",
        "the picture of this answer is not kept: those that come with feedback are, and all "
        "where PAWSIGHT_KEEP_PICTURES is `all`",
    ),
    "wrong-picture": _Kind(
        422,
        "Another picture",
        "the picture is not the one that was answered: its SHA-256 is another; send the same bytes",
    ),
    "records-off": _Kind(
        404, "Records are off", "nothing is recorded here: PAWSIGHT_RECORDS is `off`"
    ),
    "records-unavailable": _Kind(
        503, "Records unavailable", "the database is locked by another program; try again later"
    ),
    "training-off": _Kind(
        404,
        "Training is off",
        "nothing is trained here: `pawsight serve --training` or PAWSIGHT_TRAINING=true switch it "
        "on",
    ),
    "training-unavailable": _Kind(
        503,
        "Training unavailable",
        "training needs torch, Lightning, transformers, pandas and others, which the extra …",
    ),
    "unusable-archive": _Kind(
        422, "Unusable archive", "the archive is refused: 'cat/1.jpg' is encrypted"
    ),
    "unknown-dataset": _Kind(
        404,
        "Unknown dataset",
        "no dataset '6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a' is here; the latest five that can be "
        "trained on are kept",
    ),
    "unusable-dataset": _Kind(
        422, "Unusable dataset", "it cannot be trained on: training needs two classes or more"
    ),
    "name-taken": _Kind(
        409, "Name taken", "there is a model 'custom' already; choose another name"
    ),
    "unknown-job": _Kind(
        404, "Unknown training", "no training '6f1c2f6e4f0b4d0f9c5a1d1c8f7b2e3a' is here"
    ),
    "not-ended": _Kind(
        409,
        "Not ended",
        "the training of pets has not ended; POST /training/jobs/6f1c…/cancel cancels it",
    ),
    "not-found": _Kind(404, "Not found", "nothing is at this address; /docs says what there is"),
    "method-not-allowed": _Kind(405, "Method not allowed", "this address takes POST"),
    "internal-error": _Kind(
        500, "Internal error", "something went wrong in the service; its log says what"
    ),
}


class Problem(BaseModel):
    """An RFC 9457 problem document: what went wrong, for programs and for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "/problems/truncated",
                "title": "Truncated picture",
                "status": 422,
                "detail": "truncated: the JPEG ends before its picture does",
                "code": "truncated",
            }
        }
    )

    type: str = Field(description="Names the kind of problem: `/problems/` and the code.")
    title: str = Field(description="The kind of problem in words, always the same for one kind.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong with this request.")
    code: str = Field(description="The kind of problem in one word, for programs.")
    request_id: str | None = Field(
        default=None,
        description="The request's, as in the header `X-Request-ID`; in a problem that is the "
        "whole answer.",
        exclude_if=lambda name: name is None,
    )

    @classmethod
    def of(cls, code: str, detail: str) -> Problem:
        """The document of a known kind of problem."""
        kind = _KINDS[code]
        return cls(
            type=f"/problems/{code}",
            title=kind.title,
            status=kind.status,
            detail=detail,
            code=code,
        )


class Refusal(Exception):
    """A request that is not answered; becomes a problem document.

    Args:
        code: One of the kinds of this module.
        detail: What was wrong, in words; by default the kind's example, where that is always so.
            What a client sent stands in it only :func:`quoted`.
        headers: To be sent with the answer.
    """

    def __init__(
        self, code: str, detail: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        detail = _KINDS[code].example if detail is None else detail
        super().__init__(detail)
        self.problem = Problem.of(code, detail)
        self.headers = headers


def quoted(text: str) -> str:
    """A client's text for a message: in quotes, control characters escaped, cut to a length."""
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def problem_of(error: Exception) -> Problem:
    """What an exception is called to the outside; of an unexpected one nothing is told."""
    if isinstance(error, Refusal):
        return error.problem
    if isinstance(error, ImageError):
        code = error.code if error.code in _KINDS else ImageError.code
        return Problem.of(code, str(error))
    if isinstance(error, RequestValidationError):
        return Problem.of("invalid-request", first_words(error.errors()))
    if isinstance(error, HTTPException):
        return _http_problem(error)
    return Problem.of("internal-error", _KINDS["internal-error"].example)


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route for OpenAPI: the problems that it may answer with."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, "internal-error"):
        kind = _KINDS[code]
        empty = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        content = by_status.setdefault(
            kind.status,
            {"description": HTTPStatus(kind.status).phrase, "content": {MEDIA_TYPE: empty}},
        )["content"][MEDIA_TYPE]
        value = Problem.of(code, kind.example).model_dump()
        content["examples"][code] = {"summary": kind.title, "value": value}
    return dict(sorted(by_status.items(), key=lambda item: int(item[0])))


def install(app: FastAPI) -> None:
    """Have every error of the application answered as a problem document."""
    app.add_exception_handler(ClientDisconnect, _hang_up)
    for kind in (Refusal, ImageError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, respond)


async def _hang_up(request: Request, _: Exception) -> Response:
    """Nobody hears the answer; the log says so, by the status that nginx has for it."""
    request.state.gone = True
    return Response()


async def respond(request: Request, error: Exception) -> Response:
    """The problem document of an exception, as an answer."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        error = _not_allowed(request, error)
    problem = problem_of(error)
    problem.request_id = getattr(request.state, "request_id", None)
    service = getattr(request.app.state, "service", None)
    if service is not None:
        service.meter.refused(problem.code)
    headers = error.headers if isinstance(error, Refusal | HTTPException) else None
    if problem.code == "internal-error" and problem.request_id:
        # Answered outside of what gives all others their headers.
        headers = {"X-Request-ID": problem.request_id, "X-Content-Type-Options": "nosniff"}
    document = problem.model_dump()
    if request.url.path.startswith("/v2/"):
        document["error"] = problem.detail  # where the Open Inference Protocol's clients look
    return Response(
        json.dumps(document, ensure_ascii=False),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """Of an address in the OpenAPI document, of which there are a few dozen."""
    return compile_path(path)[0]


def _not_allowed(request: Request, error: HTTPException) -> HTTPException:
    """The same with all that the address takes: the framework names what one of its routes does."""
    app = request.app  # whose whole document, with what models there are, is made anew each time
    paths: dict[str, dict[str, Any]] = (app.openapi_schema or app.openapi())["paths"]
    found = [paths[each] for each in paths if _pattern(each).match(request.scope["path"])]
    methods = sorted({method.upper() for operations in found for method in operations})
    headers = {"Allow": ", ".join(methods)} if methods else error.headers
    return HTTPException(error.status_code, headers=headers)


def _http_problem(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return Problem.of("not-found", _KINDS["not-found"].example)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method").replace(", ", " or ")
        return Problem.of("method-not-allowed", f"this address takes {allowed}")
    title = HTTPStatus(error.status_code).phrase
    return Problem(
        type="about:blank",
        title=title,
        status=error.status_code,
        detail=error.detail,
        code=title.lower().replace(" ", "-"),
    )


def first_words(errors: Sequence[Any]) -> str:
    """Where and what the first of pydantic's errors is, without the value that the client sent."""
    where, words = fault(errors)
    return f"the body {words}" if where is None else f"{quoted(where)}: {words}"
