"""``/training/jobs``: trainings as jobs."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from pawsight.inference.catalog import available
from pawsight.jobs.job import Job, TooMany
from pawsight.serving.bodies import bounded, content_type, parse_json, unsupported
from pawsight.serving.errors import Refusal, quoted, responses
from pawsight.serving.routes.datasets import find_dataset
from pawsight.serving.routes.dependencies import Service
from pawsight.serving.routes.training_access import TRAINING_PROBLEMS, Trainings, unwritable
from pawsight.serving.routes.training_schemas import EPOCHS, START, JobAnswer, JobForm, Jobs
from pawsight.serving.state import State

if TYPE_CHECKING:
    from pawsight.jobs.runner import Runner

router = APIRouter(tags=["training"])

_MAX_JSON: Final = 64 * 1024

JobId = Annotated[str, Path(alias="id", description="Of a training.")]


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
        raise unsupported(kind, "send JSON (application/json)")
    runner, seconds = training.runner, service.settings.body_seconds
    form = parse_json(await bounded(request, _MAX_JSON, seconds=seconds).body(), JobForm)
    found = await find_dataset(training, form.dataset)
    if not found.usable:
        raise Refusal("unusable-dataset", f"it cannot be trained on: {found.why_not}")
    start = _start(service, form.start or START) if form.method == "head" else None

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
    if name in service.models.loaded:
        return f"there is a model {name!r} already"
    if any(each.is_open and each.name == name for each in runner.jobs()):
        return f"a training that is not done is to be {name!r}"
    if any(each.name == name for each in available()):
        return (
            f"there is a model {name!r} on this machine already, which this service does not serve "
            "(one that was trained here, and brought back, is served from the next start on)"
        )
    return None


def _start(service: State, name: str) -> tuple[str, FilePath]:
    """The network that a head is put on."""
    model = service.models.find(name)
    loaded = service.models.loaded
    networks = {each for each in loaded.values() if each.members == (each,)}
    if model not in networks:
        raise Refusal(
            "unknown-model",
            f"{name} is a cascade, and a head is put on one network; there are "
            + ", ".join(key for key, each in loaded.items() if each in networks),
        )
    return name, model.folder.path
