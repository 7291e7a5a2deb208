"""The service as a process: uvicorn around the application."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.serving.state import State

_SHUTDOWN_SECONDS: Final = 30  # what is left to requests that were accepted


def serve(settings: Settings | None = None) -> None:
    """Load the models, then answer until the process is told to stop.

    Args:
        settings: By default those of the environment.

    Raises:
        ModelError: One of the models is unknown or broken; nothing was listened to yet.
        SystemExit: The address cannot be listened on.
    """
    chosen = settings or Settings()
    # Loaded here and not in the lifespan, whose failures uvicorn logs as tracebacks.
    app = create_app(chosen, state=State.load(chosen))
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_config=_log_config(),
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def _log_config() -> dict[str, Any]:
    """Uvicorn's own, with times, and with what pawsight logs."""
    config = deepcopy(LOGGING_CONFIG)
    for formatter in config["formatters"].values():
        formatter["fmt"] = f"%(asctime)s {formatter['fmt']}"
    config["loggers"]["pawsight"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
