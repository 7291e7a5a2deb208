"""Requests for which there is no room, refused before the application is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.batching import Scheduler
from pawsight.serving.connections import BoundedProtocol
from pawsight.serving.overload import Overload
from pawsight.serving.settings import Settings
from pawsight.serving.state import State
from tests.pictures import picture
from tests.running import Running, running

# For a header, and for what is left of a refused body: on a busy machine half of one is too few.
SECONDS = 2.0
BODY = picture("red")


class Room:
    """Says whether there is some, in place of a queue that would have to be filled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        monkeypatch.setattr(Scheduler, "has_room", lambda _: not self.full)


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Running]:
    chosen = Settings(serve_models=(str(folder),), cache=0, **settings)
    state = State.load(chosen)

    class Protocol(BoundedProtocol):
        header_seconds = SECONDS
        overload = Overload(state, "127.0.0.1")

    with running(create_app(chosen, state=state), http=Protocol) as server:
        yield server


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


@pytest.fixture
def server(tiny: Path) -> Iterator[Running]:
    with served(tiny) as server:
        yield server


@contextmanager
def connected(server: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield connection


def head(length: int = len(BODY), *, path: str = "/predict/tiny", more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def one(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the document of the next answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(1)
        assert part, f"it closed after {received!r}"
        received += part
    fields = received.lower().split(b"\r\n")
    [length] = [int(line.split(b":")[1]) for line in fields if line.startswith(b"content-length:")]
    body = b""
    while len(body) < length:
        part = connection.recv(length - len(body))
        assert part, f"it closed after {body!r}"
        body += part
    return int(received.split()[1]), json.loads(body)


def drip(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.02)


def test_it_is_what_the_application_would_have_said(
    server: Running, tiny: Path, room: Room
) -> None:
    with TestClient(create_app(Settings(serve_models=(str(tiny),)))) as client:
        room.full = True
        named = {"X-Request-ID": "seven"}
        expected = client.post("/predict/tiny", content=BODY, headers=named)
        said = httpx.post(f"{server.url}/predict/tiny", content=BODY, headers=named, timeout=60)
    assert (said.status_code, said.json()) == (503, expected.json())
    assert said.json()["request_id"] == "seven"
    headers = dict(said.headers)
    del headers["date"], headers["server"]
    assert headers == dict(expected.headers)
    assert headers["retry-after"] == "1"


def test_only_predictions_are_refused(server: Running, room: Room) -> None:
    room.full = True
    assert httpx.get(f"{server.url}/health/live", timeout=60).status_code == 200
    assert httpx.post(f"{server.url}/nothing", content=BODY, timeout=60).status_code == 404
    batch = httpx.post(f"{server.url}/predict/tiny/batch", content=BODY, timeout=60)
    assert (batch.status_code, batch.json()["code"]) == (503, "overloaded")
    first, second = (
        httpx.post(f"{server.url}/predict/tiny", timeout=60).headers["x-request-id"]
        for _ in range(2)
    )
    assert first != second


def test_a_connection_goes_on_after_a_refusal_whose_body_came_late(
    server: Running, room: Room
) -> None:
    with connected(server) as connection:
        for pause in (0.0, 1.5 * SECONDS):
            room.full = True
            connection.sendall(head() + BODY[:10])
            status, document = one(connection)
            assert (status, document["code"]) == (503, "overloaded")
            connection.sendall(BODY[10:])
            time.sleep(pause)  # an idle connection is kept for longer than a header may take
            room.full = False
            connection.sendall(head() + BODY)
            status, document = one(connection)
            assert (status, document["label"]) == (200, "cat")


def test_those_that_come_together_are_counted_as_they_are_let_in(tiny: Path) -> None:
    state = State.load(Settings(serve_models=(str(tiny),), max_waiting=2))
    overload = Overload(state, "127.0.0.1")

    async def a_turn(requests: int) -> list[bool]:
        await asyncio.sleep(0)
        return [overload.refuses(b"POST", b"/predict/tiny", ()) for _ in range(requests)]

    async def main() -> None:
        assert await a_turn(3) == [False, False, True]
        assert await a_turn(2) == [False, False]

    asyncio.run(main())


def test_several_at_once_are_refused_one_by_one(server: Running, room: Room) -> None:
    room.full = True
    with connected(server) as connection:
        ids = [f"number-{number}" for number in range(5)]
        connection.sendall(b"".join(head(more=f"X-Request-ID: {id_}\r\n") + BODY for id_ in ids))
        assert [one(connection)[1]["request_id"] for _ in ids] == ids


def test_half_a_header_behind_a_refused_request_has_a_header_s_time(
    server: Running, room: Room
) -> None:
    room.full = True
    with connected(server) as connection:
        connection.sendall(head() + BODY + b"POST /predict/tiny HTTP/1.1\r\nHost: ")
        assert one(connection)[1]["code"] == "overloaded"
        assert one(connection)[1]["code"] == "too-slow"
        assert connection.recv(1) == b""


@pytest.mark.parametrize("offers", [False, True])
def test_who_offers_another_protocol_is_refused_as_others_are(
    server: Running, room: Room, offers: bool
) -> None:
    room.full = True
    offer = "Connection: Upgrade\r\nUpgrade: h2c\r\n" if offers else ""
    with connected(server) as connection:
        connection.sendall((head(more=offer) + BODY) * 2)
        assert [one(connection)[0] for _ in range(2)] == [503, 503]


def test_behind_a_request_that_waits_it_is_refused_in_its_turn(server: Running, room: Room) -> None:
    with connected(server) as connection:
        connection.sendall(head(more="X-Request-ID: first\r\n")[:-2])
        connection.sendall(b"\r\n" + BODY[:10])
        time.sleep(0.1)
        room.full = True
        connection.sendall(BODY[10:] + head() + BODY)
        # The first had come before it was full, but its picture had not.
        assert one(connection)[1]["request_id"] == "first"
        assert one(connection)[0] == 503


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_wants_no_other_answer_gets_this_one_whole(
    server: Running, room: Room, version: str
) -> None:
    room.full = True
    length = 3_000_000  # more than sockets hold
    asked = head(length, more="Connection: close\r\n").replace(
        b"HTTP/1.1", b"HTTP/" + version.encode()
    )
    with connected(server) as connection:
        connection.sendall(asked)
        connection.sendall(bytes(length))
        assert one(connection)[0] == 503
        assert connection.recv(1) == b""


def test_a_refused_body_that_does_not_end_is_given_up(server: Running, room: Room) -> None:
    room.full = True
    with connected(server) as connection:
        connection.sendall(head(10_000_000))
        assert one(connection)[0] == 503
        with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
            drip(connection)


def test_who_asks_whether_to_send_is_told_no(server: Running, room: Room) -> None:
    room.full = True
    with connected(server) as connection:
        connection.sendall(head(more="Expect: 100-continue\r\n"))
        assert one(connection)[0] == 503


def test_a_web_page_of_another_origin_may_read_it(tiny: Path, room: Room) -> None:
    with served(tiny, cors_origins="https://example.org") as server:
        room.full = True
        url, origin = f"{server.url}/predict/tiny", {"Origin": "https://example.org"}
        said = httpx.post(url, content=BODY, headers=origin, timeout=60)
        assert said.status_code == 503
        assert said.headers["access-control-allow-origin"] == "https://example.org"


def test_it_is_logged_and_counted(
    server: Running, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    counted = (
        'pawsight_problems_total{code="overloaded"}',
        'pawsight_requests_total{method="POST",route="none",status="503"}',
        'pawsight_request_seconds_count{route="none"}',
    )
    room.full = True
    with caplog.at_level(logging.INFO, logger="pawsight.access"):
        for headers in ({"X-Request-ID": "seven"}, {"X-Forwarded-For": "192.0.2.7"}):
            httpx.post(f"{server.url}/predict/tiny?a=b", content=BODY, headers=headers, timeout=60)
    first, second = (vars(each) for each in caplog.records if each.name == "pawsight.access")
    assert first["message"] == "POST /predict/tiny"
    assert (first["request_id"], first["status"], first["client"]) == ("seven", 503, "127.0.0.1")
    assert second["client"] == "192.0.2.7"
    lines = httpx.get(f"{server.url}/metrics", timeout=60).text.splitlines()
    assert {f"{each} 2.0" for each in counted} <= set(lines)
