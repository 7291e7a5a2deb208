"""What there is no room for, refused before the application is asked.

What a refusal takes is missing where pictures are answered (docs/performance.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pawsight.serving.raw import header_lines, problem_head
from pawsight.serving.state import State
from pawsight.serving.watch import REQUEST_ID, request_id, tell

_STATUS: Final = HTTPStatus.SERVICE_UNAVAILABLE
_ID: Final = "{id}"  # nothing else of the document is in braces


class Overload:
    """Says no for a service whose queue is full, in bytes that are made once.

    The answer is the application's own, and is logged and counted as that is. Who asks is not
    looked at: without room nobody is let in, and what is refused does not count for a key's rate.

    Args:
        service: Whose queue it is.
        trusted: The addresses of proxies whose ``X-Forwarded-For`` is believed, as uvicorn has
            them.
    """

    def __init__(self, service: State, trusted: Sequence[str] | str) -> None:
        self._service = service
        self._browsers = bool(service.settings.cors_origins)
        # It finds the client behind proxies, and never waits for anything.
        self._behind_proxies: ASGIApp = ProxyHeadersMiddleware(_nothing, trusted)  # type: ignore[arg-type, assignment]
        refusal = service.overloaded()
        document = json.dumps({**refusal.problem.model_dump(), "request_id": _ID})
        self._before, self._after = (each.encode() for each in document.split(_ID))
        self._length = len(self._before) + len(self._after)
        self._head = problem_head(
            _STATUS,
            [
                (name.lower().encode(), said.encode())
                for name, said in (refusal.headers or {}).items()
            ],
        )

    def refuses(self, method: bytes, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request for predictions has no room, and the application need not say so.

        It answers web pages of other origins, which need headers of their own.
        """
        return (
            method == b"POST"
            and url.startswith(b"/predict/")
            and not self._service.scheduler.let_in()
            and not (self._browsers and any(name == b"origin" for name, _ in headers))
        )

    def refusal(self, scope: Scope, more: Sequence[tuple[bytes, bytes]], *, last: bool) -> bytes:
        """The whole answer; it has been logged and counted.

        Args:
            scope: Of a request that is refused.
            more: Headers.
            last: Whether the connection is closed then.
        """
        start = perf_counter()
        name = scope["state"]["request_id"] = request_id(scope)
        if any(key == b"x-forwarded-for" for key, _ in scope["headers"]):
            with suppress(StopIteration):
                self._behind_proxies(scope, _receive, _send).__await__().send(None)
        id_ = name.encode()
        headers = [
            *more,
            (REQUEST_ID.lower().encode(), id_),
            (b"content-length", str(self._length + len(id_)).encode()),
        ]
        if last:
            headers.append((b"connection", b"close"))
        meter = self._service.meter
        meter.refused("overloaded")
        tell(meter, scope, scope["method"], _STATUS, perf_counter() - start)
        return b"".join(
            (self._head, header_lines(headers), b"\r\n", self._before, id_, self._after)
        )


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind what finds the client: there is none."""


async def _receive() -> Message:
    raise RuntimeError("nothing is received where only the client is looked for")


async def _send(message: Message) -> None:
    raise RuntimeError("nothing is sent where only the client is looked for")
