"""An application behind a real server on a free port, in a thread of the test's process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from pawsight.serving.connections import BoundedProtocol

_PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        url: Where.
        port: Its port.
        server: The server itself.
        thread: Which runs it.
    """

    url: str
    port: int
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Shut it down and wait until it is."""
        self.server.should_exit = True
        self.thread.join(_PATIENCE)


@contextmanager
def running(
    app: FastAPI, port: int = 0, http: type[BoundedProtocol] = BoundedProtocol
) -> Iterator[Running]:
    """Serve an application until the block ends.

    Args:
        app: The application.
        port: Where; by default any free one.
        http: The protocol.
    """
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http=http, loop="asyncio", log_level="critical")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    handle = Running(f"http://127.0.0.1:{port}", port, server, thread)
    try:
        yield handle
    finally:
        handle.stop()
