"""The service as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import onnxruntime
import pytest

from pawsight.inference.errors import ModelError, UnknownModel
from pawsight.serving.server import serve
from pawsight.serving.settings import Settings
from tests.command import run
from tests.pictures import picture


@contextmanager
def process(folder: Path, **settings: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service of one model, and its address."""
    given = {"port": 0, "serve_models": (str(folder),), **settings}
    code = (
        "from pawsight.serving.server import serve; from pawsight.serving.settings import Settings;"
        f"serve(Settings(**{given!r}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running, wait_for_address(running)
        finally:
            running.kill()


def wait_for_address(running: subprocess.Popen[str]) -> str:
    """Where a service listens, once it says so."""
    assert running.stderr
    lines = []
    for line in running.stderr:
        lines.append(line)
        if url := re.search(r"http://127\.0\.0\.1:\d+", line):
            return url[0]
    pytest.fail("".join(lines))


@pytest.mark.parametrize(
    ("host", "words"), [("127.0.0.1", "address already in use"), ("no.invalid", "")]
)
def test_where_it_cannot_listen_is_said_before_anything_is_loaded(host: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--host", host, "--port", port, "--model", "no-such-model")
    assert done.exit_code == 2
    assert f"cannot listen on {host}, port {port}: {words}" in done.stderr.lower()


def test_a_process_serves_until_it_is_told_to_stop(tiny: Path) -> None:
    with process(tiny, drain_seconds=0) as (running, url):
        answer = httpx.post(f"{url}/predict/tiny", files={"file": picture("red")}, timeout=60)
        assert answer.json()["label"] == "cat"
        running.send_signal(signal.SIGTERM)
        assert running.stderr
        assert "Finished server process" in running.stderr.read()


def test_what_was_accepted_is_finished_and_readiness_goes_first(tiny: Path) -> None:
    body = picture("red", "BMP", size=(200, 200))
    half = len(body) // 2
    with process(tiny, drain_seconds=2) as (running, url):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=60) as connection:
            head = f"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:half])
            assert httpx.get(f"{url}/health/ready", timeout=60).status_code == 200
            running.send_signal(signal.SIGTERM)
            while (ready := httpx.get(f"{url}/health/ready", timeout=60)).status_code == 200:
                time.sleep(0.01)
            assert (ready.status_code, ready.json()["code"]) == (503, "shutting-down")
            late = httpx.post(f"{url}/predict/tiny", content=picture("blue"), timeout=60)
            assert late.json()["label"] == "dog"
            assert running.stderr
            for line in running.stderr:
                if "Shutting down" in line:  # it has stopped listening
                    break
            connection.sendall(body[half:])
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"label":"cat"' in answer
        assert "Finished server process" in running.stderr.read()


def test_a_second_interrupt_closes_what_is_open(tiny: Path) -> None:
    with process(tiny) as (running, url):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=60) as connection:
            head = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
            connection.sendall(head + b"\xff\xd8\xff")
            httpx.get(f"{url}/health/live", timeout=60)  # so it has heard of the other
            running.send_signal(signal.SIGINT)
            assert running.stderr
            for line in running.stderr:
                if "CTRL+C to force quit" in line:
                    break
            running.send_signal(signal.SIGINT)
            said = running.stderr.read()
    assert "Finished server process" in said
    assert "Application shutdown complete" in said
    assert "ERROR" not in said


def test_a_connection_that_asks_nothing_is_kept_as_long_as_the_settings_say(tiny: Path) -> None:
    with process(tiny, keep_alive_seconds=1) as (running, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while part := connection.recv(65_536):
                answer += part
        assert answer.endswith(b'{"status":"live"}')
        running.send_signal(signal.SIGINT)


def test_a_provider_that_is_not_here_is_said_before_anything_is_listened_to(tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"no execution provider 'quantum'.* Runtime, .*cpu"):
        serve(Settings(serve_models=(str(tiny),), provider="quantum"))


def test_a_provider_that_does_not_start_is_said(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime with CUDA, on a machine without its driver, goes on by the processor."""

    class Falling(onnxruntime.InferenceSession):  # type: ignore[misc]
        def __init__(self, path: Path, options: Any, providers: list[str]) -> None:
            assert providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]
            super().__init__(path, options, providers=providers[1:])

    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Falling)
    with pytest.raises(ModelError, match="is not run by CUDAExecutionProvider as asked for"):
        serve(Settings(serve_models=(str(tiny),), provider="cuda"))


def test_a_client_s_key_that_was_meant_for_the_service_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAWSIGHT_API_KEY", "1f0c9d5d0b0a4c6f8f2e")
    done = run("serve", "--port", 0, "--model", "no-such-model")
    assert "whoever asks needs no key: is PAWSIGHT_API_KEYS meant?" in done.stderr
    monkeypatch.setenv("PAWSIGHT_API_KEYS", "shop 1f0c9d5d0b0a4c6f8f2e")
    assert "PAWSIGHT_API_KEYS" not in run("serve", "--port", 0, "--model", "no-such-model").stderr


def test_an_unknown_model_is_said_before_anything_is_listened_to() -> None:
    with pytest.raises(UnknownModel, match="no model 'nothing'"):
        serve(Settings(serve_models=("nothing",)))
