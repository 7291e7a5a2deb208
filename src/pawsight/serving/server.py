"""The service as a process: uvicorn around the application."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from types import FrameType
from typing import Final

import uvicorn

from pawsight.inference.catalog import Loader
from pawsight.serving import tracing
from pawsight.serving.app import create_app
from pawsight.serving.connections import BoundedProtocol
from pawsight.serving.logs import log_config, log_only_what_is_written
from pawsight.serving.memory import settle
from pawsight.serving.overload import Overload
from pawsight.serving.settings import Settings
from pawsight.serving.state import State

_SHUTDOWN_SECONDS: Final = 30  # what is left to requests that were accepted


def serve(settings: Settings | None = None, loader: Loader | None = None) -> None:
    """Load the models, then answer until the process is told to stop.

    Args:
        settings: By default those of the environment.
        loader: That has begun to (:func:`~pawsight.serving.early.begin`).

    Raises:
        ModelError: One of the models is unknown or broken, or the execution provider does not
            work; nothing was listened to yet.
        ExtraMissing: Records are to go to PostgreSQL, whose driver is not installed.
        SystemExit: The address cannot be listened on.
    """
    chosen = settings or Settings()
    # Loaded here and not in the lifespan, whose failures uvicorn logs as tracebacks.
    state = State.load(chosen, loader)
    log_only_what_is_written()
    protocol = _protocol(chosen.header_seconds)
    protocol.meter = state.meter
    config = uvicorn.Config(
        create_app(chosen, state=state),
        host=chosen.host,
        port=chosen.port,
        http=protocol,
        loop="asyncio",  # as fast as uvloop, and faster under too much load (docs/performance.md)
        ws="none",
        log_config=log_config(chosen.log_format),
        access_log=False,  # pawsight.access writes it, with the requests' ids
        server_header=False,
        timeout_keep_alive=chosen.keep_alive_seconds,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    if not tracing.wanted():  # else a refusal has a trace as well, which the application begins
        protocol.overload = Overload(state, config.forwarded_allow_ips)
    server = _Server(config, state)
    server.run()
    if not server.started:
        raise SystemExit(3)  # as uvicorn's own command does; the log says why


class _Server(uvicorn.Server):
    """Uvicorn, which says that it is not ready any more before it stops listening.

    A balancer that asks learns that it should send nothing more, while what it sends until then is
    answered. Ctrl-C stops listening at once; once more, and what is still open is closed.
    """

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._state = state
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        settle()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: the first SIGTERM is heeded a little later."""
        if sig == signal.SIGTERM and not self._state.stopping:
            self._stop_at = time.monotonic() + self._state.settings.drain_seconds
        elif sig == signal.SIGINT and self.should_exit:
            # Requests end as they do when clients leave, and the rest as ever: uvicorn's own way
            # leaves the application at once, and prints where everything was.
            self._loop.call_soon_threadsafe(self._hang_up)
        else:
            super().handle_exit(sig, frame)
        self._state.stopping = True

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol):
                connection.transport.abort()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop now."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self._stop_at = None
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)


def _protocol(header_seconds: float) -> type[BoundedProtocol]:
    return type("Protocol", (BoundedProtocol,), {"header_seconds": header_seconds})
