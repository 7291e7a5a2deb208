"""Origins of web pages, as browsers send them (https://www.rfc-editor.org/rfc/rfc6454#section-6).

And names of hosts, as requests have them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PORTS: Final = {"http": 80, "https": 443}
_EXAMPLE: Final = "https://example.org"
_DOMAIN: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def check_origin(text: str) -> str:
    """An origin, or ``*`` for every one.

    Raises:
        ValueError: No browser would send it; says what one would.
    """
    right = _as_sent(text)
    if text not in ("*", right):
        raise ValueError(
            f"{text!r} is no origin as browsers send it, a scheme, a host and, unless it is the "
            f"scheme's own, a port: {right!r} is one"
        )
    return text


def is_of_host(origin: str, host: str) -> bool:
    """Whether an origin is of the host and port that a request's ``Host`` names.

    The scheme is not looked at: before what takes TLS off a request, it is another than behind it.
    """
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        own = _PORTS.get(page.scheme)
        there, here = (page.hostname, page.port or own), (asked.hostname, asked.port or own)
    except ValueError:  # of what is no port, or half an IPv6 address
        return False
    return page.hostname is not None and there == here


def check_domain(text: str) -> str:
    """A domain name as :func:`host_name` has it, or ``*`` for every one.

    Raises:
        ValueError: No request could name it.
    """
    name = text.lower().removesuffix(".")
    if name != "*" and not _DOMAIN.fullmatch(name):
        raise ValueError(
            f"{text!r} is no domain name, such as 'pets.example.org': without a scheme, port or "
            "path, and in ASCII (xn--…)"
        )
    return name


def host_name(host: str) -> str:
    """Of a request's ``Host``, without its port, and without the dot that may end it."""
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdecimal() else host.lower()).removesuffix(".")


def is_domain(name: str) -> bool:
    """Whether somebody may have a host's name, and let it lead anywhere.

    Addresses, names without a dot and those under ``localhost`` are nobody's.
    """
    return "." in name and not name.endswith(".localhost") and not _is_address(name.strip("[]"))


def is_loopback(address: str) -> bool:
    """Whether a machine reaches itself by this address, one of IPv4 in IPv6 too."""
    if not _is_address(address):
        return False
    found = ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


@lru_cache(256)  # each request asks, and nearly all of the same few
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _as_sent(text: str) -> str:
    """What a browser would most likely send for what somebody wrote."""
    whole = text.lower() if "://" in text else f"https://{text.lower()}"
    try:
        parts = urlsplit(whole)
        port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        return _EXAMPLE
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    sent = f"{parts.scheme}://{host}{port}"
    return sent if _ORIGIN.fullmatch(sent) and text.lower() != "null" else _EXAMPLE
