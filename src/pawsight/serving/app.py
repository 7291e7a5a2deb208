"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from pawsight.serving.bodies import Room
from pawsight.serving.errors import install
from pawsight.serving.routes import router
from pawsight.serving.settings import Settings
from pawsight.serving.state import State


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

    # The pages at /docs come with the package: they must work where there is no network.
    app: FastAPI = FastAPIOffline(
        title="pawsight",
        version=version("pawsight"),
        summary="Cat, dog or neither: send a photograph, get a label and a probability.",
        description="Errors are problem documents (RFC 9457, `application/problem+json`).",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
    )
    install(app)
    app.add_middleware(Room, limit=chosen.max_held_bytes)
    app.include_router(router)
    _name_models(app)
    return app


def _name_models(app: FastAPI) -> None:
    """Name the models that are here, so that what /docs offers works when it is tried."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        service: State | None = getattr(app.state, "service", None)
        if service is None:
            return document
        for operations in document["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    if parameter["name"] == "model":
                        parameter["schema"]["enum"] = service.names
        return document

    # Assigning is the way that FastAPI documents for extending it.
    app.openapi = openapi  # type: ignore[method-assign]
