"""Bodies that do not end, lie about their length, or break off: against a real server."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pictures import picture
from tests.running import Running

HEADER = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
FORM = {"content-type": "multipart/form-data; boundary=x"}
LIMIT = 200_000


class Endless:
    """A body in chunks that only stops when nobody listens any more, or at 1 GB."""

    def __init__(self, start: bytes = b"") -> None:
        self.start = start
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.start or b"\xff\xd8\xff"
        while self.sent < 1_000_000_000:
            self.sent += 65_536
            yield bytes(65_536)


def answered(server: Running) -> str:
    response = httpx.post(f"{server.url}/predict/tiny", files={"file": picture("blue")}, timeout=60)
    return str(response.json()["label"])


@pytest.mark.parametrize("form", [False, True], ids=["raw", "form"])
def test_an_endless_body_is_stopped_at_the_limit(
    server: Running, form: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    body = Endless(HEADER if form else b"")
    headers = FORM if form else {"content-type": "image/jpeg"}
    response = httpx.post(
        f"{server.url}/predict/tiny", content=iter(body), headers=headers, timeout=60
    )
    assert "content-length" not in response.request.headers
    assert response.status_code == 413
    assert response.json()["detail"] == "too large: the body has more than 200 000 bytes"
    assert body.sent < 100_000_000  # what the sockets between the two hold, and not all
    assert list(tmp_path.iterdir()) == []
    assert answered(server) == "dog"


def test_an_endless_batch_leaves_nothing_in_the_temporary_folder(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("starlette.formparsers.MultiPartParser.spool_max_size", 1000)
    body = Endless(HEADER.replace(b'"file"', b'"files"'))
    response = httpx.post(
        f"{server.url}/predict/tiny/batch", content=iter(body), headers=FORM, timeout=60
    )
    assert response.status_code == 413
    assert response.json()["code"] == "too-large"
    assert list(tmp_path.iterdir()) == []
    assert answered(server) == "dog"


def test_a_declared_length_over_the_limit_is_refused_before_the_body(server: Running) -> None:
    with raw(server, f"Content-Length: {LIMIT + 1}") as connection:
        status, problem = response_of(connection)
    assert status == 413
    assert problem["code"] == "too-large"
    assert answered(server) == "dog"


def test_a_body_shorter_than_declared_breaks_nothing(server: Running) -> None:
    with raw(server, "Content-Length: 5000", b"\xff\xd8\xff only this") as connection:
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    assert answered(server) == "dog"


def test_a_body_longer_than_declared_is_refused(server: Running) -> None:
    """The rest is the next request to the server, and none that it can read."""
    with raw(server, "Content-Length: 3", b"\xff\xd8\xff" + bytes(5000)) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 4")
    assert answered(server) == "dog"


def test_a_length_that_is_no_number_is_refused(server: Running) -> None:
    with raw(server, "Content-Length: many", b"\xff\xd8\xff") as connection:
        assert b" 400 " in connection.recv(1000)
    assert answered(server) == "dog"


def test_a_chunked_picture_within_the_limit_is_answered(server: Running) -> None:
    data = picture("red")
    chunks = (data[start : start + 100] for start in range(0, len(data), 100))
    response = httpx.post(f"{server.url}/predict/tiny", content=chunks, timeout=60)
    assert response.json()["label"] == "cat"


def raw(server: Running, header: str, body: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n{header}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def response_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    answer = b""
    while not answer.endswith(b"}"):
        received = connection.recv(65_536)
        assert received, answer
        answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
