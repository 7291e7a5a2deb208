"""ASGI middleware around everything: request ids, the access log, counts, and security headers."""

from __future__ import annotations

import logging
import re
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pawsight.serving.ids import new_id
from pawsight.serving.meter import Meter

REQUEST_ID: Final = "X-Request-ID"

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GONE: Final = 499  # the status that nginx writes for a client that left before the answer

SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
# The pages of the documentation begin with a script of a few lines in the page itself.
_PAGE_POLICY: Final = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'"
)
DATA_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"

log = logging.getLogger("pawsight.access")


class RequestWatch:
    """Gives each request an id, and tells the log and the meter what became of it.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with an id and security headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        method = scope["method"]
        if method == "HEAD":  # answered as GET is; the server sends no body by its own scope
            scope = {**scope, "method": "GET"}
        name = request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = name
        status = _GONE

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                kind = next((value for key, value in headers if key == b"content-type"), b"")
                policy = _PAGE_POLICY if kind.startswith(b"text/html") else DATA_POLICY
                headers += (
                    *SECURITY,
                    (b"content-security-policy", policy),
                    (b"x-request-id", name.encode()),
                )
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            status = 500  # as the server's own handler will answer
            raise
        finally:
            if state.get("gone"):  # it was answered, which nobody heard
                status = _GONE
            if not state.get("told"):  # by the server, which has answered as the body broke
                service = getattr(scope["app"].state, "service", None)
                meter = None if service is None else service.meter
                tell(meter, scope, method, status, perf_counter() - start)


def request_id(scope: Scope) -> str:
    """The id that the client sent, if it is well-formed, else a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return new_id()


def tell(meter: Meter | None, scope: Scope, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered, and log it.

    Args:
        meter: None where the service has not begun.
        scope: Its ``state`` has the ``request_id``.
        method: As it came.
        status: Of the answer.
        seconds: That it took.
    """
    route = getattr(scope.get("route"), "path", "none")
    method = method if method in _METHODS else "other"
    if meter is not None:
        meter.requested(route, method, status, seconds)
    if not log.isEnabledFor(logging.INFO):
        return
    key, client = scope["state"].get("key"), scope.get("client")
    log.info(
        "%s %s",
        method,
        # As it came, percent-encoded: nothing in it can end a line of the log.
        repr(scope.get("raw_path", b"")[:300])[2:-1],
        extra={
            "request_id": scope["state"]["request_id"],
            "route": route,
            "status": status,
            "milliseconds": round(1000 * seconds, 2),
            "client": client[0] if client else None,
            "key": key.name if key else None,
            "trace_id": scope["state"].get("trace_id"),
        },
    )
