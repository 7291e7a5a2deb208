"""What an answer to a hostile request must be."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass

from tests.fuzz.requests import Hostile

_TELLS = re.compile(rb"Traceback|File \"|site-packages|\.py\b|/tmp/|/home/|/root/|/usr/|/work/")


@dataclass(frozen=True)
class Judged:
    """An answer.

    Attributes:
        status: Of HTTP; 0 where there was none.
        fault: What is wrong with it; empty where nothing is.
    """

    status: int
    fault: str = ""


def ask(port: int, hostile: Hostile, patience: float = 30.0) -> Judged:
    """Send a request and judge the answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            connection.sendall(hostile.data)
            if hostile.half_closed:
                connection.shutdown(socket.SHUT_WR)
            elif not hostile.whole:
                connection.settimeout(0.05)  # and go
            while received := connection.recv(65_536):
                answer += received
        except TimeoutError:
            if hostile.whole:
                return Judged(0, "no answer in time")
        except ConnectionError:
            if not answer:  # refused while it was still being sent
                return Judged(0)
    return judge(answer, hostile)


def judge(answer: bytes, hostile: Hostile) -> Judged:
    """Whether an answer is as it must be."""
    if not answer:
        return Judged(0, "no answer" if hostile.whole else "")
    if answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    if not found:
        return Judged(0, f"no HTTP: {head[:80]!r}")
    status = int(found[1])
    if status >= 500 and status != 503:
        return Judged(status, f"{status}: {body[:200]!r}")
    if status >= 400 and not hostile.data.startswith(b"HEAD"):
        if b"application/problem+json" not in head:
            return Judged(status, f"no problem document: {head[:300]!r} {body[:100]!r}")
        if told := _TELLS.search(body):
            return Judged(status, f"tells {told[0]!r}: {body[:300]!r}")
        try:
            # What follows is the answer to what followed the request.
            problem, _ = json.JSONDecoder().raw_decode(body.decode())
        except ValueError:
            return Judged(status, f"no JSON: {body[:200]!r}")
        if problem.get("status") != status or not problem.get("code"):
            return Judged(status, f"another status: {body[:200]!r}")
    return Judged(status)
