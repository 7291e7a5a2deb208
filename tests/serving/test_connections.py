"""Slow clients, headers without end, and what is no HTTP: against uvicorn with our protocol."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest

from pawsight.serving.app import create_app
from pawsight.serving.connections import BoundedProtocol
from pawsight.serving.meter import Meter
from pawsight.serving.settings import Settings
from tests.pictures import picture
from tests.running import Running, running


class Hasty(BoundedProtocol):
    header_seconds = 0.5
    meter = Meter()


@pytest.fixture(scope="module")
def hasty(tiny: Path) -> Iterator[Running]:
    app = create_app(Settings(serve_models=(str(tiny),), body_seconds=0.5))
    with running(app, http=Hasty) as server:
        yield server


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def everything(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:  # it closed while we still sent
        pass
    return received


def ask(connection: socket.socket) -> None:
    """Ask, and take the whole answer."""
    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while not received.endswith(b'{"status":"live"}'):
        part = connection.recv(65_536)
        assert part, "it closed"
        received += part
    assert received.startswith(b"HTTP/1.1 200")


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"content-security-policy: default-src 'none'" in head
    document: dict[str, Any] = json.loads(body)
    assert f"x-request-id: {document['request_id']}".encode() in head
    assert int(head.split()[1]) == document["status"]
    return document


def answered(server: Running) -> str:
    response = httpx.post(f"{server.url}/predict/tiny", content=picture("blue"), timeout=60)
    return str(response.json()["label"])


def test_a_header_that_does_not_end_is_given_up(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert problem(everything(connection))["code"] == "too-slow"
    assert answered(hasty) == "dog"


def test_a_connection_that_says_nothing_is_closed(hasty: Running) -> None:
    with connect(hasty) as connection:
        assert everything(connection) == b""


def test_a_second_header_has_its_time_too(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /health/live HTTP/1.1\r\n")
        assert problem(everything(connection))["code"] == "too-slow"


def test_a_connection_that_pauses_between_its_requests_is_kept(hasty: Running) -> None:
    with connect(hasty) as connection:
        for _ in range(2):
            ask(connection)
            time.sleep(3 * Hasty.header_seconds)


def test_empty_lines_do_not_keep_a_connection(hasty: Running) -> None:
    with connect(hasty) as connection:
        ask(connection)
        connection.sendall(b"\r\n\r\n")
        assert everything(connection) == b""


def test_a_header_flood_is_stopped(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\n")
        flood = (b"X-More: " + b"x" * 1000 + b"\r\n") * 200_000  # more than sockets hold
        with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
            connection.sendall(flood)
    assert answered(hasty) == "dog"


def test_a_long_header_is_told_so(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nX-Long: " + b"x" * 66_000)
        document = problem(everything(connection))
    assert (document["status"], document["code"]) == (431, "header-too-large")


def test_a_long_header_that_comes_at_once_is_too_long_as_well(hasty: Running) -> None:
    with connect(hasty) as connection:
        fields = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(66))
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
        document = problem(everything(connection))
    assert (document["status"], document["code"]) == (431, "header-too-large")


def test_a_header_after_a_long_body_is_not_long(hasty: Running) -> None:
    body = bytes(200_000)
    head = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(hasty) as connection:
        connection.sendall(head + body + b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
        connection.sendall(b"Connection: close\r\n\r\n")
        assert everything(connection).endswith(b'{"status":"live"}')


def test_a_body_that_does_not_come_is_given_up(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(
            b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n\xff\xd8\xff"
        )
        document = problem(everything(connection))
    assert (document["status"], document["code"]) == (408, "too-slow")
    assert document["detail"].startswith("too slow: 3 bytes of the body in ")
    assert answered(hasty) == "dog"


def test_what_is_no_http_is_a_problem(hasty: Running, caplog: pytest.LogCaptureFixture) -> None:
    with connect(hasty) as connection, caplog.at_level(logging.INFO, logger="pawsight.access"):
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        document = problem(everything(connection))
    assert document["code"] == "invalid-http"
    told = [vars(each) for each in caplog.records if each.name == "pawsight.access"]
    # The last answer to a test before this may be told of only now.
    [logged] = [each for each in told if each["request_id"] == document["request_id"]]
    assert (logged["status"], logged["client"]) == (400, "127.0.0.1")
    counted = generate_latest(Hasty.meter.registry).decode()
    assert 'pawsight_problems_total{code="invalid-http"} 1.0' in counted
    assert answered(hasty) == "dog"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_body_that_breaks_is_told_and_counted_once(
    hasty: Running, caplog: pytest.LogCaptureFixture, at_once: bool
) -> None:
    def sum_of(metric: str) -> float:
        there = httpx.get(f"{hasty.url}/metrics", timeout=60).text
        lines = (there + generate_latest(Hasty.meter.registry).decode()).splitlines()
        return sum(
            float(each.rpartition(" ")[2])
            for each in lines
            if each.startswith(f"{metric}{{") and "/metrics" not in each
        )

    before = sum_of("pawsight_problems_total"), sum_of("pawsight_requests_total")
    head = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(hasty) as connection, caplog.at_level(logging.INFO, logger="pawsight.access"):
        connection.sendall(head + (b"not hexadecimal\r\n" if at_once else b"2\r\nxx\r\n"))
        if not at_once:
            time.sleep(0.1)
            connection.sendall(b"not hexadecimal\r\n")
        document = problem(everything(connection))
        # An answer is logged once it has been sent: when the next is heard, it has been.
        assert [answered(hasty) for _ in range(2)] == ["dog", "dog"]
    assert (document["status"], document["code"]) == (400, "invalid-http")
    # Without GET /metrics, which may have been logged just now.
    told = [each for each in caplog.records if each.name == "pawsight.access"]
    logged = [vars(each) for each in told if "/metrics" not in each.getMessage()]
    assert [each["status"] for each in logged] in ([400, 200], [400, 200, 200])
    assert logged[0]["request_id"] == document["request_id"]
    assert "/predict/tiny" in logged[0]["message"]
    after = sum_of("pawsight_problems_total"), sum_of("pawsight_requests_total")
    assert after == (before[0] + 1, before[1] + 3)


def test_a_body_that_breaks_after_its_answer_has_no_other(hasty: Running) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(hasty) as connection:
        connection.sendall(head)
        received = connection.recv(65_536)
        assert received.startswith(b"HTTP/1.1 404")
        connection.sendall(b"not hexadecimal\r\n")
        assert b"HTTP/1.1 400" not in received + everything(connection)


def test_requests_one_after_another_and_all_at_once_are_answered(hasty: Running) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(hasty) as connection:
        connection.sendall(one * 5 + last)
        assert everything(connection).count(b'{"status":"live"}') == 6


def upgrade(body: bytes, offer: bytes = b"h2c", more: bytes = b"") -> bytes:
    """A picture as `curl --http2` and Java's HttpClient send it."""
    return (
        b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: %s\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n%sContent-Length: %d\r\n\r\n%s"
        % (offer, more, len(body), body)
    )


CHUNKED = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("offer", [b"h2c", b"websocket", b"TLS/1.2, h2c"])
@pytest.mark.parametrize("part", [1_000_000, 700, 1], ids=["whole", "in parts", "in bytes"])
def test_an_offer_of_another_protocol_is_passed_over(
    hasty: Running, offer: bytes, part: int, caplog: pytest.LogCaptureFixture
) -> None:
    sent = upgrade(picture("blue"), offer) + upgrade(picture("red"), offer) + LAST
    with connect(hasty) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(sent), part):
            connection.sendall(sent[start : start + part])
        answers = everything(connection)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b'"label":"dog"') < answers.index(b'"label":"cat"')
    assert answers.endswith(b'{"status":"live"}')
    assert not [each for each in caplog.records if each.name == "uvicorn.error"]


def test_another_protocol_may_be_offered_by_who_waits_to_send_the_body(hasty: Running) -> None:
    head, _, body = upgrade(picture("blue"), more=b"Expect: 100-continue\r\n").partition(
        b"\r\n\r\n"
    )
    with connect(hasty) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body + LAST)
        assert b'"label":"dog"' in everything(connection)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_it_may_be_offered_with_the_last_request(hasty: Running, version: bytes) -> None:
    last = b"Connection: Upgrade, close, HTTP2-Settings"
    sent = upgrade(picture("blue")).replace(b"Connection: Upgrade, HTTP2-Settings", last)
    with connect(hasty) as connection:
        connection.sendall(sent.replace(b"HTTP/1.1", b"HTTP/" + version))
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b'"label":"dog"' in answer


def test_what_follows_connect_is_not_read(hasty: Running) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"CONNECT /predict/tiny HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        time.sleep(0.1)
        with suppress(OSError):  # it has closed
            connection.sendall(LAST)
        assert problem(everything(connection))["status"] == 405


@pytest.mark.parametrize(
    ("behind", "code"),
    [
        (b"\x16\x03\x01 no HTTP\r\n\r\n", "invalid-http"),
        (b"GET /health/live HTTP/1.1\r\nX-Long: " + b"x" * 200_000, "header-too-large"),
        (
            b"GET /health/live HTTP/1.1\r\n" + b"X-Long: x\r\n" * 8000 + b"\r\n" + LAST,
            "header-too-large",
        ),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ", "too-slow"),
        (b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n" + LAST, "method-not-allowed"),
        (CHUNKED + b"not hexadecimal\r\n" + LAST, "invalid-http"),
        (CHUNKED + b"2\r\nxx\r\nnot hexadecimal\r\n" + LAST, "invalid-http"),
    ],
)
@pytest.mark.parametrize("before", [1, 2])
@pytest.mark.parametrize("parts", [1, 3])
def test_what_comes_before_a_bad_request_is_answered(
    hasty: Running, behind: bytes, code: str, parts: int, before: int
) -> None:
    good = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        len(picture("blue")),
        picture("blue"),
    )
    with connect(hasty) as connection:
        sent = good * before + behind
        for place in range(parts):
            connection.sendall(sent[place * len(sent) // parts : (place + 1) * len(sent) // parts])
        *answers, last = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [each[:3] == b"200" and b'"label":"dog"' in each for each in answers] == [True] * before
    assert problem(b"HTTP/1.1 " + last)["code"] == code


def test_a_client_that_leaves_within_its_body_is_not_counted_as_refused(hasty: Running) -> None:
    def counted() -> tuple[bool, bool]:
        metrics = httpx.get(f"{hasty.url}/metrics", timeout=60).text
        gone = 'pawsight_requests_total{method="POST",route="/predict/{model}",status="499"}'
        return gone in metrics, "incomplete" in metrics

    assert counted() == (False, False)
    with connect(hasty) as connection:
        connection.sendall(
            b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n\xff\xd8\xff"
        )
    deadline = time.monotonic() + 60
    while (seen := counted()) != (True, False):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
