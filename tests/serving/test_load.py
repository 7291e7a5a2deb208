"""Many at once, more than there may be, and clients that go away: against a real server."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pawsight.images.decode import Pixels
from pawsight.images.errors import NotAnImage
from pawsight.inference.classifier import Classifier
from pawsight.inference.network import Outputs
from pawsight.serving.app import create_app
from pawsight.serving.batching import BATCH
from pawsight.serving.connections import BoundedProtocol
from pawsight.serving.overload import Overload
from pawsight.serving.routes import explanations
from pawsight.serving.settings import Settings
from pawsight.serving.state import State
from tests.pictures import picture, truncated_jpeg
from tests.running import Running, running

PATIENCE = 60  # seconds
COLOURS = {"red": "cat", "blue": "dog", "black": "neither"}


class Gate:
    """Holds every network until it is opened, and counts what comes to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        self.read = self.run = 0
        self.entered = threading.Semaphore(0)
        read, look = Classifier.read, Classifier.look

        def counted_read(network: Classifier, *args: Any) -> Pixels:
            self.read += 1
            return read(network, *args)

        def held_look(network: Classifier, pictures: Sequence[Pixels], **how: Any) -> Outputs:
            self.run += len(pictures)
            self.entered.release()
            assert self.opened.wait(PATIENCE)
            return look(network, pictures, **how)

        monkeypatch.setattr(Classifier, "read", counted_read)
        monkeypatch.setattr(Classifier, "look", held_look)


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[tuple[Running, State]]:
    chosen = Settings(serve_models=(str(folder),), cache=0, **settings)
    state = State.load(chosen)

    class Protocol(BoundedProtocol):
        overload = Overload(state, "127.0.0.1")

    with running(create_app(chosen, state=state), http=Protocol) as server:
        yield server, state


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def send(server: Running, path: str = "/predict/tiny") -> socket.socket:
    """A picture from a client that does not wait for the answer."""
    body = picture("red")
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_one_corrupt_and_31_good_ones_at_once_are_one_refusal_and_31_answers(tiny: Path) -> None:
    colours = list(COLOURS) * 11

    async def ask(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            pictures = [picture(each, size=(40 + n, 40)) for n, each in enumerate(colours[:31])]
            pictures.insert(17, truncated_jpeg())
            return await asyncio.gather(*(client.post(url, content=each) for each in pictures))

    with served(tiny) as (server, _):
        responses = asyncio.run(ask(f"{server.url}/predict/tiny"))
    refused = responses.pop(17)
    assert (refused.status_code, refused.json()["code"]) == (422, "truncated")
    assert [each.status_code for each in responses] == [200] * 31
    assert [each.json()["label"] for each in responses] == [COLOURS[c] for c in colours[:31]]


def test_200_clients_that_leave_while_queued_are_never_computed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tiny, threads=1, max_waiting=300) as (server, state):
        gate = Gate(monkeypatch)
        first = send(server)
        assert gate.entered.acquire(timeout=PATIENCE)  # the only thread is held
        leaving = [send(server) for _ in range(200)]
        until(lambda: state.scheduler.waiting == 201)
        for connection in leaving:
            connection.close()
        until(lambda: state.scheduler.waiting == 1)
        gate.opened.set()
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        first.close()
        good = httpx.post(f"{server.url}/predict/tiny", content=picture("blue"), timeout=PATIENCE)
        assert good.json()["label"] == "dog"
        metrics = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    assert (gate.read, gate.run) == (2, 2)
    left = 'pawsight_requests_total{method="POST",route="/predict/{model}",status="499"} 200.0'
    assert left in metrics.splitlines()
    assert "pawsight_problems_total{" not in metrics


def test_over_the_bound_it_is_refused_at_once_and_then_answered_again(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tiny, threads=1, max_waiting=3) as (server, state):
        gate = Gate(monkeypatch)
        waiting = [send(server) for _ in range(3)]
        until(lambda: state.scheduler.waiting == 3)
        for url, body in (
            ("/predict/tiny", {"content": picture("red")}),
            ("/predict/tiny/batch", {"files": {"files": picture("red")}}),
        ):
            refused = httpx.post(server.url + url, timeout=PATIENCE, **body)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert refused.headers["content-type"] == "application/problem+json"
            assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
        gate.opened.set()
        for connection in waiting:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            connection.close()
        until(lambda: state.scheduler.waiting == 0)
        good = httpx.post(f"{server.url}/predict/tiny", content=picture("red"), timeout=PATIENCE)
        assert (good.status_code, good.json()["label"]) == (200, "cat")


def test_a_batch_that_nobody_waits_for_is_given_up(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tiny, threads=1) as (server, state):
        gate = Gate(monkeypatch)
        files = [("files", picture("red"))] * 40
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{server.url}/predict/tiny/batch", files=files, timeout=httpx.Timeout(9, read=0.5)
            )
        until(lambda: state.scheduler.waiting == 0)
        gate.opened.set()
        good = httpx.post(f"{server.url}/predict/tiny", content=picture("blue"), timeout=PATIENCE)
        assert good.json()["label"] == "dog"
    assert gate.run <= BATCH + 1  # what was held when the client left, and the good one


MANY = 40
TENSOR = {
    "name": "image",
    "shape": [MANY],
    "datatype": "BYTES",
    "data": [base64.b64encode(picture("red")).decode()] * MANY,
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict/tiny/batch", {"files": [("files", picture("red"))] * MANY}),
        ("/v2/models/tiny/infer", {"json": {"inputs": [TENSOR], "outputs": [{"name": "label"}]}}),
    ],
    ids=["batch", "tensor"],
)
def test_a_long_batch_leaves_room_for_others(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    with served(tiny, threads=1, max_waiting=20) as (server, state):
        gate = Gate(monkeypatch)
        answered: list[httpx.Response] = []

        def batch() -> None:
            answered.append(httpx.post(server.url + path, timeout=PATIENCE, **body))

        thread = threading.Thread(target=batch)
        thread.start()
        assert gate.entered.acquire(timeout=PATIENCE)
        until(lambda: state.scheduler.waiting == 2 * BATCH)
        with send(server) as other:
            until(lambda: state.scheduler.waiting == 2 * BATCH + 1)
            gate.opened.set()
            assert other.recv(100).startswith(b"HTTP/1.1 200")
        thread.join(PATIENCE)
    said = answered[0].json()
    labels = (
        [each["prediction"]["label"] for each in said["records"]]
        if "records" in said
        else said["outputs"][0]["data"]
    )
    assert labels == ["cat"] * MANY


def test_explanations_wait_in_no_longer_queue_than_pictures(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, begun = threading.Event(), threading.Event()
    overlaid = explanations._overlaid

    def held(*asked: Any) -> Any:
        begun.set()
        assert opened.wait(PATIENCE)
        return overlaid(*asked)

    monkeypatch.setattr(explanations, "_overlaid", held)
    with (
        served(tiny, threads=1, max_waiting=1) as (server, state),
        send(server, "/explain/tiny") as first,
    ):
        assert begun.wait(PATIENCE)  # from here on the queue is empty, so that the next one fits
        with send(server, "/explain/tiny") as second:
            until(lambda: state.workers.statistics().tasks_waiting == 1)
            url = f"{server.url}/explain/tiny"
            refused = httpx.post(url, content=picture("red"), timeout=PATIENCE)
            opened.set()
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            for each in (first, second):
                assert each.recv(100).startswith(b"HTTP/1.1 200")


def test_what_a_client_that_has_left_waited_for_is_not_explained(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, begun = threading.Event(), threading.Semaphore(0)
    explained = []
    overlaid = explanations._overlaid

    def held(*asked: Any) -> Any:
        explained.append(asked)
        begun.release()
        assert opened.wait(PATIENCE)
        if len(explained) == 1:
            raise NotAnImage("not an image: this looks like text")
        return overlaid(*asked)

    monkeypatch.setattr(explanations, "_overlaid", held)
    with served(tiny, threads=1) as (server, state):
        first = send(server, "/explain/tiny")
        assert begun.acquire(timeout=PATIENCE)
        leaving = [send(server, "/explain/tiny") for _ in range(3)]
        until(lambda: state.workers.statistics().tasks_waiting == 3)
        for connection in leaving:
            connection.close()
        until(lambda: state.workers.statistics().tasks_waiting == 0)
        with send(server, "/explain/tiny") as late:
            until(lambda: state.workers.statistics().tasks_waiting == 1)
            first.close()  # what has begun is one of those that compute, until it ends
            time.sleep(0.1)
            assert state.workers.statistics().tasks_waiting == 1
            opened.set()
            assert late.recv(100).startswith(b"HTTP/1.1 200")
    assert len(explained) == 2
    assert "never retrieved" not in caplog.text


def test_bodies_hold_no_more_memory_than_they_may(tiny: Path) -> None:
    body = picture("red", "BMP", size=(200, 100))  # 60 kB
    smaller = ("max_bytes", "max_batch_bytes")
    with (
        served(tiny, max_held_bytes=100_000, **dict.fromkeys(smaller, 100_000)) as (server, _),
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as slow,
    ):
        url = f"{server.url}/predict/tiny"
        head = f"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:-1])

        def refused() -> bool:  # as soon as the first one's bytes have come
            answer = httpx.post(url, content=body, timeout=PATIENCE)
            return (answer.status_code, answer.json().get("code")) == (503, "overloaded")

        until(refused)
        small = httpx.post(url, content=picture("blue"), timeout=PATIENCE)
        assert small.json()["label"] == "dog"
        slow.sendall(body[-1:])
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        again = httpx.post(url, content=body, timeout=PATIENCE)
        assert again.json()["label"] == "cat"
