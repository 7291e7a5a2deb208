"""ASGI middleware: web pages of other origins change nothing here, unless they are allowed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pawsight.serving.errors import Refusal, respond
from pawsight.serving.origins import is_of_host

_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OTHERS: Final = frozenset({b"cross-site", b"same-site"})


class OtherSites:
    """Refuses what a browser sends for a web page of another origin.

    Any page can have a browser send a form, or bytes without a type, to wherever the browser
    reaches, such as a service on its own machine. Browsers say so by ``Sec-Fetch-Site``
    (https://www.w3.org/TR/fetch-metadata/), or, to what is neither https nor their own machine, by
    an ``Origin`` that is not the ``Host``; programs, which send neither, are not meant.

    Args:
        app: The application.
        allowed: Origins whose pages may ask.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = frozenset(each.encode("latin-1") for each in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest with a problem."""
        if scope["type"] == "http" and scope["method"] not in _HARMLESS and self._refuses(scope):
            refusal = Refusal(
                "forbidden",
                "web pages of other origins may not ask this: PAWSIGHT_CORS_ORIGINS names those "
                "that may",
            )
            response = await respond(Request(scope), refusal)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuses(self, scope: Scope) -> bool:
        headers = scope["headers"]
        origins = [said for name, said in headers if name == b"origin"]
        if self._allowed.intersection(origins):
            return False
        sites = [said for name, said in headers if name == b"sec-fetch-site"]
        if sites:
            return not _OTHERS.isdisjoint(sites)
        if not origins:
            return False
        host = next((said for name, said in headers if name == b"host"), b"").decode("latin-1")
        return not all(is_of_host(each.decode("latin-1"), host) for each in origins)
