"""``POST /feedback``, and what was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from pawsight.records.errors import Unavailable
from pawsight.records.pictures import MEDIA_TYPES, digest_of
from pawsight.records.record import OtherPicture, Recorded, Said, UnknownLabel, UnknownRecord
from pawsight.records.recorder import Recorder
from pawsight.serving.bodies import (
    bounded,
    content_type,
    invalid,
    parse_json,
    read_fields,
    unsupported,
)
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes import record_schemas as schemas
from pawsight.serving.routes.dependencies import BINARY, MODEL_PROBLEMS, Service, check_admin
from pawsight.serving.state import State

router = APIRouter(tags=["feedback"])

_MAX_JSON: Final = 64 * 1024
_DIGEST: Final = "The SHA-256 of a picture: only answers about it."
_ALIKE: Final = "Only what it and models of the same labels answered."
_PROBLEMS: Final = ("records-off", "records-unavailable")
_FORM: Final[dict[str, Any]] = schemas.FeedbackForm.model_json_schema()
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _FORM},
            "multipart/form-data": {
                "schema": {**_FORM, "properties": {**_FORM["properties"], "file": BINARY}}
            },
        },
    }
}

Result = TypeVar("Result")
AnswerId = Annotated[str, Path(alias="id", description="Of an answer.")]


@router.post(
    "/feedback",
    summary="Say what would have been right",
    openapi_extra=_BODY,
    responses=responses(
        *_PROBLEMS,
        "unknown-answer",
        "unknown-label",
        "wrong-picture",
        "invalid-request",
        "invalid-multipart",
        "missing-file",
        "unsupported-content-type",
        "too-large",
        "too-many-files",
        "too-slow",
        "overloaded",
    ),
)
async def feedback(request: Request, service: Service) -> schemas.Said:
    """Send an answer's `id` and the right `label`, as JSON or as a form.

        curl --json '{"id": "6f1c…", "label": "dog"}' http://127.0.0.1:8000/feedback
        curl -F id=6f1c… -F label=dog -F file=@photo.jpg http://127.0.0.1:8000/feedback

    With the picture in the form's field `file`, the same bytes that were answered, it is kept, to
    be trained on. What is answered 200 is on the disk. The same again changes nothing; another
    label replaces the one before.
    """
    recorder = _recorder(service)
    said, picture = await _read(request, service)
    digest = None if picture is None else await service.run(lambda: digest_of(picture))
    done = recorder.say(Said(said.id, said.label, said.comment or None, digest), picture)
    try:
        now = await asyncio.wrap_future(done)
    except UnknownLabel as error:
        raise Refusal(
            "unknown-label", f"no class {quoted(said.label)}; of this answer {error}"
        ) from error
    except OtherPicture as error:
        raise Refusal(
            "wrong-picture",
            "the picture is not the one that was answered: its SHA-256 is another; send the same "
            "bytes",
        ) from error
    except (UnknownRecord, Unavailable) as error:
        raise _refusal(error, said.id) from error
    return schemas.Said.of(now, picture=recorder.pictures.find(now.digest) is not None)


@router.get(
    "/feedback/queue",
    summary="Which pictures to look at first",
    responses=responses(*_PROBLEMS, *MODEL_PROBLEMS, "forbidden", "invalid-request"),
)
async def queue(
    request: Request,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=1000, description="The most pictures.")] = 50,
    model: Annotated[str | None, Query(description=_ALIKE)] = None,
) -> schemas.ReviewQueue:
    """The pictures that nothing was said of, those first whose right answer teaches most.

    First come those about which models that know the same labels disagree, then those of the
    smallest margin; each picture once, however often it was sent. Where there are keys, for holders
    of an `admin` key alone.
    """
    recorder = _recorder(service)
    check_admin(request, "see what others sent")

    classes = None if model is None else service.models.find(model).card.labels

    def found() -> list[schemas.ReviewItem]:
        items = recorder.to_review(limit, classes)
        return [schemas.ReviewItem.of(each, recorder.pictures) for each in items]

    return schemas.ReviewQueue(pictures=await _read_from("", found))


@router.get(
    "/feedback",
    summary="What was said",
    responses=responses(*_PROBLEMS, "forbidden", "invalid-request"),
)
async def decided(
    request: Request,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=10_000, description="The most answers.")] = 50,
    digest: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description=_DIGEST)] = None,
) -> schemas.Decided:
    """The answers of which something was said, or those about one picture; the latest first.

    Where there are keys, for holders of an `admin` key alone.
    """
    recorder = _recorder(service)
    check_admin(request, "see what others sent")

    def found() -> list[schemas.RecordedAnswer]:
        return [_told(each, recorder) for each in recorder.decided(limit, digest)]

    return schemas.Decided(answers=await _read_from("", found))


@router.get(
    "/records/{id}",
    summary="Show a recorded answer",
    responses=responses(*_PROBLEMS, "unknown-answer", "invalid-request"),
)
async def recorded(id_: AnswerId, service: Service) -> schemas.RecordedAnswer:
    """What was answered, and what was said of it; 200 only where it is on the disk."""
    recorder = _recorder(service)

    return await _read_from(id_, lambda: _told(recorder.answer(id_), recorder))


@router.get(
    "/records/{id}/picture",
    summary="Show the picture of a recorded answer",
    response_class=Response,
    responses={
        200: {
            "description": "The picture as it was sent.",
            "content": {"image/*": {"schema": BINARY}},
        },
        **responses(*_PROBLEMS, "unknown-answer", "no-picture", "invalid-request"),
    },
)
async def picture(id_: AnswerId, service: Service) -> Response:
    """Where it was kept: with feedback, or as PAWSIGHT_KEEP_PICTURES says."""
    recorder = _recorder(service)
    record = await _read_from(id_, lambda: recorder.answer(id_))
    path = recorder.pictures.find(record.digest)
    try:
        data = await to_thread.run_sync(path.read_bytes) if path else None
    except FileNotFoundError:  # deleted since then, maybe by another process
        data = None
    if path is None or data is None:
        raise Refusal("no-picture")
    kind = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    return Response(data, media_type=kind)


def _told(record: Recorded, recorder: Recorder) -> schemas.RecordedAnswer:
    picture = recorder.pictures.find(record.digest) is not None
    return schemas.RecordedAnswer.from_record(record, picture=picture)


def _recorder(service: State) -> Recorder:
    if service.recorder is None:
        raise Refusal("records-off")
    return service.recorder


async def _read(request: Request, service: State) -> tuple[schemas.FeedbackForm, bytes | None]:
    settings = service.settings
    kind = content_type(request)
    if kind == "application/json":
        body = await bounded(request, _MAX_JSON, seconds=settings.body_seconds).body()
        return parse_json(body, schemas.FeedbackForm), None
    if kind != "multipart/form-data":
        raise unsupported(
            kind,
            "send JSON (application/json), or a form (multipart/form-data) with the fields id, "
            "label and, if wanted, comment and file",
        )
    fields, sent = await read_fields(
        request, schemas.FeedbackForm.model_fields, settings.max_bytes, settings.body_seconds
    )
    try:
        return schemas.FeedbackForm.model_validate(fields), sent
    except ValidationError as error:
        raise invalid(error) from error


async def _read_from(id_: str, read: Callable[[], Result]) -> Result:
    try:
        return await to_thread.run_sync(read)
    except (UnknownRecord, Unavailable) as error:
        raise _refusal(error, id_) from error


def _refusal(error: UnknownRecord | Unavailable, id_: str) -> Refusal:
    if isinstance(error, Unavailable):
        return Refusal("records-unavailable", f"{error}; try again later", {"Retry-After": "1"})
    return Refusal(
        "unknown-answer",
        f"no answer {quoted(id_)} is recorded here: none had this id, it was lost before it was "
        "written, or it has been deleted because of its age",
    )
