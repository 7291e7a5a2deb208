"""Forms of one file and nothing else: what almost every client sends, and the fastest to read."""

from __future__ import annotations

import re
from typing import Final

_BOUNDARY: Final = re.compile(
    r"multipart/form-data; ?boundary=(\"?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1", re.IGNORECASE
)
_HEADERS: Final = re.compile(
    rb'Content-Disposition: form-data; name="([a-z]{1,32})"; filename="[^"\\\r\n]{0,1024}"'
    rb"(?:\r\nContent-Type: [!-~ ]{0,256})?",
    re.IGNORECASE,
)
_ENDS: Final = (b"--\r\n", b"--")


def only_file(content_type: str, body: bytes, field: str) -> bytes | None:
    """The file of a form (RFC 7578) that is written as browsers, curl and HTTP libraries write it.

    Args:
        content_type: The request's header.
        body: The whole form.
        field: In which the file is to be.

    Returns:
        Its bytes. None where the form holds anything else, or is written in any other way: that
        is for a parser, which also knows what is wrong with it.
    """
    declared = _BOUNDARY.fullmatch(content_type)
    if declared is None:
        return None
    delimiter = b"\r\n--" + declared[2].encode()
    headers_end = body.find(b"\r\n\r\n", len(delimiter), len(delimiter) + 2048)
    if headers_end < 0 or not body.startswith(delimiter[2:] + b"\r\n"):
        return None
    headers = _HEADERS.fullmatch(body, len(delimiter), headers_end)
    if headers is None or headers[1] != field.encode():
        return None
    start = headers_end + 4
    end = body.find(delimiter, start)
    after = end + len(delimiter)
    return None if end < 0 or body[after : after + 5] not in _ENDS else body[start:end]
