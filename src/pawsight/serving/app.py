"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline

from pawsight.serving import tracing
from pawsight.serving.bodies import Room
from pawsight.serving.errors import install
from pawsight.serving.other_sites import OtherSites
from pawsight.serving.routes import (
    about,
    datasets,
    drift,
    explanations,
    feedback,
    inference_protocol,
    jobs,
    metrics,
    model_loading,
    model_removal,
    predictions,
    protocol_metadata,
    task_api,
)
from pawsight.serving.settings import Settings
from pawsight.serving.state import State
from pawsight.serving.watch import REQUEST_ID, RequestWatch


def create_app(settings: Settings | None = None, *, state: State | None = None) -> FastAPI:
    """Build the application; its models are loaded when it starts.

    Args:
        settings: By default those of the environment.
        state: Models that are loaded already.

    Raises:
        ModelError: When the application starts and one of its models is unknown or broken.
    """
    chosen = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = state
        if service is None:
            service = await to_thread.run_sync(State.load, chosen)
        async with service.running():
            app.state.service = service
            yield
        await to_thread.run_sync(end_traces)

    # The pages at /docs come with the package: they must work where there is no network.
    app: FastAPI = FastAPIOffline(
        title="pawsight",
        version=version("pawsight"),
        summary="Send a photograph, get a label and a probability, or neither.",
        description="Errors are problem documents (RFC 9457, `application/problem+json`).",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
    )
    install(app)
    end_traces = _guard(app, chosen)
    app.include_router(predictions.direct)  # first: what is asked most is found first
    for each in (
        predictions,
        about,
        explanations,
        feedback,
        task_api,
        protocol_metadata,
        inference_protocol,
        metrics,
        drift,
        model_loading,
        model_removal,
        datasets,
        jobs,
    ):
        app.include_router(each.router)
    _complete_document(app, closed=bool(chosen.keys))
    return app


def _guard(app: FastAPI, settings: Settings) -> Callable[[], object]:
    """Put around the application what every request passes; the last one added sees it first.

    Returns:
        To be called at the end.
    """
    if settings.keys:
        from pawsight.serving.access import Access

        app.add_middleware(
            Access, keys=settings.keys, rate=settings.rate_limit, metrics=settings.metrics
        )
    app.add_middleware(Room, limit=settings.max_held_bytes)
    if "*" not in settings.cors_origins:
        anyhow = bool(settings.keys) or "*" in settings.hosts
        known = None if anyhow else settings.hosts
        app.add_middleware(OtherSites, allowed=settings.cors_origins, known=known)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-None-Match",
                "X-API-Key",
                REQUEST_ID,
            ],
            expose_headers=[
                "ETag",
                "Retry-After",
                REQUEST_ID,
                predictions.KEPT,
                *explanations.HEADERS,
            ],
        )
    app.add_middleware(RequestWatch)
    return tracing.trace(app)


def _with_definitions(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what its bodies' schemas define for themselves among the components."""
    document = deepcopy(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                defined = content["schema"].pop("$defs", {})
                document["components"]["schemas"].update(defined)
    return document


def _complete_document(app: FastAPI, *, closed: bool) -> None:
    """Name the models that are here, so that what /docs offers works when it is tried.

    Args:
        app: The application.
        closed: Whether a key is needed: then the models are not named, and /docs asks for the key.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = _with_definitions(plain())
        service: State | None = getattr(app.state, "service", None)
        if closed:
            document["components"]["securitySchemes"] = {
                "key": {"type": "http", "scheme": "bearer"}
            }
            document["security"] = [{"key": []}]
        if service is None or closed:
            return document
        for operations in document["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    if parameter["name"] == "model":
                        parameter["schema"]["enum"] = list(service.models.loaded)
        return document

    # Assigning is the way that FastAPI documents for extending it.
    app.openapi = openapi  # type: ignore[method-assign]
