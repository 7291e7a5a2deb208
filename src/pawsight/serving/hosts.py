"""ASGI middleware: names that somebody else has lead to this machine open nothing here."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pawsight.serving.errors import Refusal, quoted, respond


class Hosts:
    """Refuses what comes over the machine's own address under a domain name that is not known.

    Whoever has a domain can let its name lead to 127.0.0.1 once a browser has loaded a page from
    it: the page's origin is the service's own from then on, and it may read all that the service
    answers (DNS rebinding; Jackson et al. 2007, *Protecting browsers from DNS rebinding attacks*).
    Addresses, names without a dot and those under ``localhost`` are nobody's domain.

    Args:
        app: The application.
        known: Domain names by which it may be asked.
    """

    def __init__(self, app: ASGIApp, known: Sequence[str]) -> None:
        self._app = app
        self._known = frozenset(each.lower() for each in known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest with a problem."""
        if scope["type"] == "http" and is_loopback((scope.get("server") or ("",))[0]):
            host = next((said for name, said in scope["headers"] if name == b"host"), b"")
            if not self._knows(asked := _name(host.decode("latin-1").lower())):
                refusal = Refusal(
                    "forbidden",
                    f"this service is not known as {quoted(asked)}: PAWSIGHT_HOSTS names the "
                    "domain names by which it may be asked",
                )
                response = await respond(Request(scope), refusal)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, name: str) -> bool:
        nobodys = "." not in name or name.endswith(".localhost") or is_address(name)
        return nobodys or name in self._known


def is_address(text: str) -> bool:
    """Whether this is an IP address; one of IPv6 may stand in brackets."""
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether this is an address by which a machine reaches itself, one of IPv4 in IPv6 too."""
    if not is_address(text):
        return False
    address = ip_address(text.strip("[]"))
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _name(host: str) -> str:
    """Without its port, and without the dot that may end it."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).removesuffix(".")
