"""ASGI middleware: lets in only holders of a key, and each as often as its rate allows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final, Literal

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pawsight.serving.errors import Refusal, respond
from pawsight.serving.keys import Key, holder

_OPEN: Final = frozenset(
    {
        "/",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/openapi.json",
        "/health/live",
        "/health/ready",
        "/v2/health/live",
        "/v2/health/ready",
    }
)
_OPEN_BELOW: Final = "/static-offline-docs/"
_HOW: Final = "send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"


class Access:
    """Asks for a key at every address but those of health and of the documentation.

    The rates are counted in this process: several processes let in several times as much.

    Args:
        app: The application.
        keys: One or more.
        rate: Of those that say none; None for no limit.
        metrics: Whether ``/metrics`` is open to all.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Sequence[Key],
        rate: str | None,
        metrics: Literal["open", "key", "off"],
    ) -> None:
        self._app = app
        self._keys = keys
        self._open = _OPEN | {"/metrics"} if metrics == "open" else _OPEN
        rates = {key.name: key.rate or rate for key in keys}
        self._rates: dict[str, RateLimitItem] = {
            name: parse(each) for name, each in rates.items() if each
        }
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest with a problem."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path in self._open or path.startswith(_OPEN_BELOW):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            key = self._key(request)
            scope["state"]["key"] = key
            self._count(key)
        except Refusal as refusal:
            response = await respond(request, refusal)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _key(self, request: Request) -> Key:
        sent = request.headers.get("x-api-key", "")
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if not sent and scheme.lower() == "bearer":
            sent = credentials.strip()
        key = holder(self._keys, sent)
        if key is None:
            words = "this key is not known here" if sent else "a key is needed here"
            raise Refusal(
                "unauthorized",
                f"{words}; {_HOW}",
                {"WWW-Authenticate": "Bearer", "Connection": "close"},
            )
        return key

    def _count(self, key: Key) -> None:
        rate = self._rates.get(key.name)
        if rate is None or self._limiter.hit(rate, key.name):
            return
        seconds = self._limiter.get_window_stats(rate, key.name).reset_time - time.time()
        raise Refusal(
            "too-many-requests",
            f"the key {key.name!r} may ask {rate}",
            {"Retry-After": str(max(1, math.ceil(seconds))), "Connection": "close"},
        )
