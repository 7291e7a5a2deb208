"""API keys: who may ask, how often, and who may do more."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 16
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_FORM: Final = "a line is `NAME KEY`, and then, if wanted, `admin` and a rate such as `100/minute`"


@dataclass(frozen=True)
class Key:
    """Who may ask.

    Attributes:
        name: For the log.
        digest: SHA-256 of the key: what is kept of it.
        admin: Whether its holder may load models, train, and see what others sent.
        rate: As the library limits writes it, such as ``100/minute``; None for the service's own.
    """

    name: str
    digest: bytes
    admin: bool = False
    rate: str | None = None


def parse_keys(lines: Iterable[str]) -> tuple[Key, ...]:
    """Read keys, one a line; what follows a ``#`` at a line's beginning is not read.

    The key may stand there as ``sha256:`` and its digest, so that the file is no secret.

    Raises:
        ValueError: A line has another form, or two keys have the same name. Says no key.
    """
    keys: dict[str, Key] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"key {number}"
        if len(words) < 2 or not _NAME.fullmatch(words[0]):
            raise ValueError(f"{where}: {_FORM}; a name has letters, digits and . _ -")
        name, secret, *rest = words
        if name in keys:
            raise ValueError(f"two keys are called {name!r}")
        rates = [word for word in rest if word != "admin"]
        if len(rates) > 1:
            raise ValueError(f"{where} ({name}): {_FORM}")
        admin, rate = len(rates) < len(rest), rates[0] if rates else None
        if rate:
            check_rate(rate)
        keys[name] = Key(name, _digest(secret, f"{where} ({name})"), admin, rate)
    return tuple(keys.values())


def check_rate(rate: str) -> str:
    """The rate itself, if it is one.

    Raises:
        ValueError: It is none.
    """
    from limits import parse

    words = f"no rate: {rate!r}; one is 100/minute, or 5/second"
    try:
        amount = parse(rate).amount
    except ValueError as error:
        raise ValueError(words) from error
    if amount < 1:
        raise ValueError(words)
    return rate


def holder(keys: Iterable[Key], sent: str) -> Key | None:
    """Whose key was sent; None if nobody's.

    Takes as long whether a key is nearly right or not at all, and whichever it is.
    """
    digest = hashlib.sha256(sent.encode("utf-8", "surrogateescape")).digest()
    found = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found


def _digest(secret: str, where: str) -> bytes:
    if given := _DIGEST.fullmatch(secret):
        return bytes.fromhex(given[1])
    if len(secret) < SHORTEST:
        raise ValueError(
            f"{where}: a key has {SHORTEST} characters or more; `openssl rand -hex 24` makes one"
        )
    return hashlib.sha256(secret.encode()).digest()
