"""``/training``: pictures to train on, and trainings as jobs."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Final

from anyio import WouldBlock, to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from pawsight.inference.catalog import available
from pawsight.jobs.datasets import Dataset, Place
from pawsight.jobs.job import Job, TooMany
from pawsight.jobs.unpack import REFUSED
from pawsight.serving.bodies import TO_DISK, bounded, content_type, parse_json
from pawsight.serving.connections import unless_gone
from pawsight.serving.dependencies import BINARY, Service, check_admin
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.state import State
from pawsight.serving.training import Training
from pawsight.serving.training_schemas import EPOCHS, DatasetAnswer, JobAnswer, JobForm, Jobs

if TYPE_CHECKING:
    from pawsight.jobs.runner import Runner

router = APIRouter(tags=["training"])

log = logging.getLogger(__name__)

TRAINING_PROBLEMS: Final = ("training-off", "training-unavailable", "forbidden")
"""What whoever may not train is answered."""
_MAX_JSON: Final = 64 * 1024
_CHUNK: Final = 1 << 20  # bytes that are written at once
_ZIP: Final = ("application/zip", "application/x-zip-compressed", "application/octet-stream", "")

JobId = Annotated[str, Path(alias="id", description="Of a training.")]


async def _allowed(request: Request, service: Service) -> Training:
    training = service.training
    if training is None:
        raise Refusal(
            "training-off",
            "nothing is trained here: `pawsight serve --training` or PAWSIGHT_TRAINING=true "
            "switch it on",
        )
    check_admin(request, "train models")
    if training.missing:
        raise Refusal("training-unavailable", training.missing)
    return training


Trainings = Annotated[Training, Depends(_allowed)]


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
        "incomplete-body",
        "overloaded",
    ),
)
async def receive(request: Request, service: Service, training: Trainings) -> DatasetAnswer:
    """Send a ZIP as the body: a folder for each label, or pictures with one CSV at the top.

        curl --data-binary @pets.zip -H 'Content-Type: application/zip' …/training/datasets

    It is answered once every picture was looked at: what can be used, and what cannot and why. The
    latest five are kept.
    """
    kind = content_type(request)
    if kind not in _ZIP:
        raise Refusal(
            "unsupported-content-type",
            f"the content type {quoted(kind)} is not read here; send a ZIP (application/zip)",
        )
    try:
        training.receiving.acquire_on_behalf_of_nowait(request)
    except WouldBlock as error:
        words = "other archives are being received; try again after some seconds"
        raise Refusal("overloaded", words, {"Retry-After": "10", "Connection": "close"}) from error
    datasets = training.runner.datasets
    try:
        with datasets.coming() as (id_, place):
            await _to_disk(request, service, place.archive)
            await unless_gone(request, _checked(id_, place, service))
            needed = await to_thread.run_sync(training.runner.needed)
            dataset = await to_thread.run_sync(datasets.keep, place, needed)
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
    return DatasetAnswer.model_validate((await _dataset(training, id_)).model_dump())


@router.post(
    "/training/jobs",
    status_code=202,
    summary="Train a model",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": JobForm.model_json_schema()}},
        }
    },
    responses=responses(
        *TRAINING_PROBLEMS,
        "unsupported-content-type",
        "too-large",
        "too-slow",
        "incomplete-body",
        "unknown-dataset",
        "unusable-dataset",
        "unknown-model",
        "name-taken",
        "overloaded",
        "invalid-request",
    ),
)
async def submit(
    request: Request, service: Service, training: Trainings, response: Response
) -> JobAnswer:
    """One training runs, the others wait for it; `Location` is the address of this one.

    When it is done, the model answers by its name, and does so after a restart.
    """
    kind = content_type(request)
    if kind != "application/json":
        raise Refusal(
            "unsupported-content-type",
            f"the content type {quoted(kind)} is not read here; send JSON (application/json)",
        )
    runner, seconds = training.runner, service.settings.body_seconds
    form = parse_json(await bounded(request, _MAX_JSON, seconds=seconds).body(), JobForm)
    found = await _dataset(training, form.dataset)
    if not found.usable:
        raise Refusal("unusable-dataset", f"it cannot be trained on: {found.why_not}")
    start = _start(service, form.start) if form.method == "head" else None

    def submitted() -> Job:
        with training.naming:
            if who := _who_has(form.name, service, runner):
                raise Refusal("name-taken", f"{who}; choose another name")
            return runner.submit(
                dataset=form.dataset,
                name=form.name,
                method=form.method,
                start=start,
                epochs=(form.epochs or EPOCHS) if form.method == "full" else None,
            )

    try:
        job = await to_thread.run_sync(submitted)
    except TooMany as error:
        raise Refusal(
            "overloaded", "as many trainings wait as may; cancel one, or try again later",
            {"Retry-After": "60"},
        ) from error  # fmt: skip
    except OSError as error:
        raise unwritable(error) from error
    response.headers["Location"] = f"/training/jobs/{job.id}"
    return await to_thread.run_sync(JobAnswer.of, job, runner)


@router.get(
    "/training/jobs",
    summary="List the trainings",
    responses=responses(*TRAINING_PROBLEMS, "invalid-request"),
)
async def jobs(
    training: Trainings,
    limit: Annotated[int, Query(ge=1, le=1000, description="The most trainings.")] = 100,
) -> Jobs:
    """The newest first."""
    runner = training.runner

    def read() -> Jobs:
        return Jobs(jobs=[JobAnswer.of(each, runner) for each in runner.jobs()[:limit]])

    return await to_thread.run_sync(read)


@router.get(
    "/training/jobs/{id}",
    summary="How a training stands",
    responses=responses(*TRAINING_PROBLEMS, "unknown-job", "invalid-request"),
)
async def job(id_: JobId, training: Trainings) -> JobAnswer:
    """Its state, what its epochs reached so far, and what it said last."""
    return await to_thread.run_sync(lambda: _told(training.runner, id_, training.runner.find(id_)))


@router.post(
    "/training/jobs/{id}/cancel",
    summary="Cancel a training",
    responses=responses(*TRAINING_PROBLEMS, "unknown-job", "invalid-request"),
)
async def cancel(id_: JobId, training: Trainings) -> JobAnswer:
    """Nothing is left of what it trained; one that has ended stays as it ended."""
    runner = training.runner
    try:
        return await to_thread.run_sync(lambda: _told(runner, id_, runner.cancel(id_)))
    except OSError as error:
        raise unwritable(error) from error


@router.delete(
    "/training/jobs/{id}",
    summary="Remove a training that has ended",
    responses=responses(*TRAINING_PROBLEMS, "unknown-job", "not-ended", "invalid-request"),
)
async def remove(id_: JobId, training: Trainings) -> JobAnswer:
    """It is listed no more; the model that it ended with stays."""
    runner = training.runner

    def removed() -> JobAnswer:
        job = runner.remove(id_)
        if job is not None and job.is_open:
            raise Refusal(
                "not-ended",
                f"the training of {job.name} has not ended; POST /training/jobs/{id_}/cancel "
                "cancels it",
            )
        return _told(runner, id_, job)

    try:
        return await to_thread.run_sync(removed)
    except OSError as error:
        raise unwritable(error) from error


def _told(runner: Runner, id_: str, found: Job | None) -> JobAnswer:
    if found is None:
        raise Refusal("unknown-job", f"no training {quoted(id_)} is here")
    return JobAnswer.of(found, runner)


def _who_has(name: str, service: State, runner: Runner) -> str | None:
    """What has a name that a model is to get; None where it is free."""
    if name in service.loaded:
        return f"there is a model {name!r} already"
    if any(each.is_open and each.name == name for each in runner.jobs()):
        return f"a training that is not done is to be {name!r}"
    if any(each.name == name for each in available()):
        return (
            f"there is a model {name!r} on this machine already, which this service does not serve "
            "(one that was trained here, and brought back, is served from the next start on)"
        )
    return None


async def _dataset(training: Training, id_: str) -> Dataset:
    found = await to_thread.run_sync(training.runner.datasets.find, id_)
    if found is None:
        raise Refusal(
            "unknown-dataset",
            f"no dataset {quoted(id_)} is here; the latest five that were sent are kept",
        )
    return found


def _start(service: State, name: str) -> tuple[str, FilePath]:
    """The network that a head is put on."""
    model = service.model(name)
    networks = {each for each in service.loaded.values() if each.members == (each,)}
    if model not in networks:
        raise Refusal(
            "unknown-model",
            f"{name} is a cascade, and a head is put on one network; there are "
            + ", ".join(key for key, each in service.loaded.items() if each in networks),
        )
    return name, model.folder.path


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
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
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


def unwritable(error: OSError) -> Refusal:
    """What is said where the disk takes nothing."""
    words = (error.strerror or str(error)).lower()
    return Refusal("training-unavailable", f"nothing can be written for trainings here: {words}")
