"""``/training/datasets``: pictures to train on."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE
from pathlib import Path as FilePath
from typing import Annotated, Final

from anyio import WouldBlock, to_thread
from fastapi import APIRouter, Path, Request

from pawsight.jobs.command import environment
from pawsight.jobs.datasets import Dataset, Place
from pawsight.jobs.unpack import REFUSED
from pawsight.serving.bodies import TO_DISK, bounded, content_type, unsupported
from pawsight.serving.connections import unless_gone
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes.dependencies import BINARY, Service
from pawsight.serving.routes.training_access import TRAINING_PROBLEMS, Trainings, unwritable
from pawsight.serving.routes.training_schemas import DatasetAnswer
from pawsight.serving.state import State
from pawsight.serving.training import Training

router = APIRouter(tags=["training"])

log = logging.getLogger(__name__)

_CHUNK: Final = 1 << 20  # bytes that are written at once
_ZIP: Final = ("application/zip", "application/x-zip-compressed", "application/octet-stream", "")


@router.post(
    TO_DISK,
    status_code=201,
    summary="Send pictures to train on",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": BINARY} for kind in _ZIP[::2]},
        }
    },
    responses=responses(
        *TRAINING_PROBLEMS,
        "unusable-archive",
        "unsupported-content-type",
        "too-large",
        "too-slow",
        "overloaded",
    ),
)
async def receive(request: Request, service: Service, training: Trainings) -> DatasetAnswer:
    """Send a ZIP as the body: a folder for each label, or pictures and one CSV beside them.

        curl --data-binary @pets.zip -H 'Content-Type: application/zip' …/training/datasets

    It is answered once every picture was looked at: what can be used, and what cannot and why. The
    latest five that can be trained on are kept.
    """
    kind = content_type(request)
    if kind not in _ZIP:
        raise unsupported(kind, "send a ZIP (application/zip)")
    try:
        training.receiving.acquire_on_behalf_of_nowait(request)
    except WouldBlock as error:
        words = "other archives are being received; try again after some seconds"
        raise Refusal("overloaded", words, {"Retry-After": "10", "Connection": "close"}) from error
    try:
        dataset = await _received(request, service, training)
    except OSError as error:
        raise unwritable(error) from error
    finally:
        training.receiving.release_on_behalf_of(request)
    return DatasetAnswer.model_validate(dataset.model_dump())


@router.get(
    "/training/datasets/{id}",
    summary="What can be used of pictures that were sent",
    responses=responses(*TRAINING_PROBLEMS, "unknown-dataset", "invalid-request"),
)
async def dataset(
    id_: Annotated[str, Path(alias="id", description="Of a dataset.")], training: Trainings
) -> DatasetAnswer:
    """What was answered when it was sent."""
    return DatasetAnswer.model_validate((await find_dataset(training, id_)).model_dump())


async def find_dataset(training: Training, id_: str) -> Dataset:
    """A dataset that is here.

    Raises:
        Refusal: ``unknown-dataset``.
    """
    found = await to_thread.run_sync(training.runner.datasets.find, id_)
    if found is None:
        raise Refusal(
            "unknown-dataset",
            f"no dataset {quoted(id_)} is here; the latest five that can be trained on are kept",
        )
    return found


async def _received(request: Request, service: State, training: Training) -> Dataset:
    """Have what is sent checked and kept.

    Raises:
        Refusal: It cannot be read, or is refused.
        OSError: It cannot be written.
    """
    runner = training.runner
    id_, place = await to_thread.run_sync(runner.datasets.begin)
    try:
        await _to_disk(request, service, place.archive)
        await unless_gone(request, _checked(id_, place, service))
        return await to_thread.run_sync(lambda: runner.datasets.keep(place, runner.needed()))
    finally:  # beside the event loop: thousands of files may lie there
        await to_thread.run_sync(runner.datasets.drop, place)


async def _to_disk(request: Request, service: State, file: FilePath) -> None:
    """Write a body to a file while it comes."""
    settings = service.settings
    limited = bounded(request, settings.training_max_bytes, seconds=settings.body_seconds)
    with file.open("wb") as sink:
        waiting = bytearray()
        async for chunk in limited.stream():
            waiting += chunk
            if len(waiting) >= _CHUNK:
                await to_thread.run_sync(sink.write, bytes(waiting))
                waiting.clear()
        await to_thread.run_sync(sink.write, bytes(waiting))


async def _checked(id_: str, place: Place, service: State) -> None:
    """Have an archive unpacked and its pictures looked at, by a process that may be broken off.

    Whoever cancels this waits until the process has ended: it writes to the folder until then.

    Raises:
        Refusal: ``unusable-archive`` in the process's words, or ``training-unavailable``.
    """
    settings = service.settings
    bounds = (str(settings.training_max_files), str(settings.training_max_bytes))
    command = [sys.executable, "-m", "pawsight.jobs.receive", id_, str(place.path), *bounds]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env=environment()
    )
    try:
        said, trouble = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return
    words = said.decode("utf-8", "replace").strip()
    if process.returncode == REFUSED:
        raise Refusal("unusable-archive", f"the archive is refused: {words}")
    if not words:
        log.error("checking an archive failed: %s", trouble.decode("utf-8", "replace"))
        words = "it could not be checked; the service's log says why"
    raise Refusal("training-unavailable", words)
