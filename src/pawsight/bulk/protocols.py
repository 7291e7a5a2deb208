"""What the libraries behind addresses are told beside the address itself."""

from __future__ import annotations

import logging
import os
from typing import Any, Final

WEB: Final = ("http", "https")
_GOOGLE: Final = ("gs", "gcs")
_SECONDS: Final = 30.0


def arguments(protocol: str) -> dict[str, Any]:
    """What fsspec is given to open a protocol, beside the address.

    Args:
        protocol: In lower case, such as ``s3``.

    Raises:
        ImportError: The library that it needs is not installed.
    """
    if protocol in WEB:
        return _patience()
    if protocol in _GOOGLE:
        _calm_google()
    return {}


def _patience() -> dict[str, Any]:
    """How long a web server may say nothing, which otherwise is minutes."""
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, sock_connect=_SECONDS, sock_read=_SECONDS)
    return {"client_kwargs": {"timeout": timeout}}


def _calm_google() -> None:
    """Keep gcsfs to the plain protocol, and its stack traces out of the terminal.

    It asks of what type the bucket is before every file where who asks may not know it (of public
    buckets, say), and warns twice. Whatever fails has a record; its log has a page for each.
    """
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # read when it is imported
    log = logging.getLogger("gcsfs")
    if log.level == logging.NOTSET:
        log.setLevel(logging.CRITICAL)
