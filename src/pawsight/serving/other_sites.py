"""ASGI middleware: web pages of other sites get nothing here, unless they are allowed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pawsight.serving.errors import Refusal, quoted, respond
from pawsight.serving.origins import host_name, is_domain, is_loopback, is_of_host

_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OTHERS: Final = frozenset({b"cross-site", b"same-site"})


class OtherSites:
    """Refuses what a browser sends for a web page of another site.

    Any page can have a browser send a form, or bytes without a type, to wherever the browser
    reaches, such as a service on its own machine. Browsers say so by ``Sec-Fetch-Site``
    (https://www.w3.org/TR/fetch-metadata/), or, to what is neither https nor their own machine, by
    an ``Origin`` that is not the ``Host``; programs, which send neither, are not meant.

    And whoever has a domain can let its name lead to 127.0.0.1 once a browser has loaded a page
    from it: the page's origin is the service's own from then on (DNS rebinding; Jackson et al.
    2007, *Protecting browsers from DNS rebinding attacks*). So what comes over the machine's own
    address is refused under a domain name that is not known.

    Args:
        app: The application.
        allowed: Origins whose pages may ask.
        known: Domain names by which the service may be asked; None where any may be.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str], known: Sequence[str] | None) -> None:
        self._app = app
        self._allowed = frozenset(each.encode("latin-1") for each in allowed)
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest with a problem."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal:
            response = await respond(Request(scope), refusal)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        hosts = (said for name, said in scope["headers"] if name == b"host")
        host = next(hosts, b"").decode("latin-1")
        asked = host_name(host)
        if self._known is not None and is_domain(asked) and asked not in self._known:
            here, _ = scope.get("server") or ("", None)
            if is_loopback(here):
                return Refusal(
                    "forbidden",
                    f"this service is not known as {quoted(asked)}: PAWSIGHT_HOSTS names the "
                    "domain names by which it may be asked",
                )
        if scope["method"] not in _HARMLESS and self._is_of_another(scope, host):
            return Refusal(
                "forbidden",
                "web pages of other origins may not ask this: PAWSIGHT_CORS_ORIGINS names those "
                "that may",
            )
        return None

    def _is_of_another(self, scope: Scope, host: str) -> bool:
        headers = scope["headers"]
        origins = [said for name, said in headers if name == b"origin"]
        if self._allowed.intersection(origins):
            return False
        sites = [said for name, said in headers if name == b"sec-fetch-site"]
        if sites:
            return not _OTHERS.isdisjoint(sites)
        return not all(is_of_host(each.decode("latin-1"), host) for each in origins)
