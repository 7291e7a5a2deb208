"""Answers in bytes, where the application is not asked for them."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from pawsight.serving.errors import MEDIA_TYPE
from pawsight.serving.watch import DATA_POLICY, SECURITY


def problem_head(status: HTTPStatus, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """What comes before a problem document, but for the empty line between.

    Args:
        status: Of the answer.
        headers: Beside those that all problem documents have.
    """
    always = (
        (b"content-type", MEDIA_TYPE.encode()),
        *SECURITY,
        (b"content-security-policy", DATA_POLICY),
    )
    first = f"HTTP/1.1 {status} {status.phrase}\r\n".encode()
    return first + header_lines(always) + header_lines(headers)


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as HTTP/1.1 writes them, each with the end of its line."""
    return b"".join(b"%s: %s\r\n" % each for each in headers)
