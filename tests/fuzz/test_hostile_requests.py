"""Hostile requests against a process of its own.

The long form: ``PAWSIGHT_FUZZ=100000 pytest tests/fuzz`` (``PAWSIGHT_FUZZ_SEED`` for others).
"""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fuzz.judge import ask
from tests.fuzz.requests import hostile
from tests.model_folders import make_model_folder
from tests.pictures import picture

REQUESTS = int(os.environ.get("PAWSIGHT_FUZZ", "600"))
SEED = int(os.environ.get("PAWSIGHT_FUZZ_SEED", "0"))
LONGEST_GROWTH = 96 * 1024 * 1024
HEADER_SECONDS = 1.0

_CODE = """
from pawsight.serving.server import serve
from pawsight.serving.settings import Settings
serve(Settings(port=0, serve_models=({folder!r},), max_bytes=200_000, max_files=8,
               max_batch_bytes=1_000_000, max_pixels=2_000_000, header_seconds={seconds},
               body_seconds=1, drain_seconds=0, log_format="json"))
"""


@dataclass
class Target:
    """A service in a process of its own.

    Attributes:
        process: The process.
        port: Its port.
        log: What it wrote, by line.
    """

    process: subprocess.Popen[str]
    port: int
    log: list[str]

    @property
    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return 1024 * int(found[1])

    def is_well(self) -> None:
        """It lives, and answers a good picture rightly."""
        assert self.process.poll() is None, self.log[-20:]
        for colour, label in (("red", "cat"), ("blue", "dog")):
            url = f"http://127.0.0.1:{self.port}/predict/tiny"
            answer = httpx.post(url, files={"file": picture(colour)}, timeout=60)
            assert answer.json()["label"] == label


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = make_model_folder(tmp_path_factory.mktemp("models") / "tiny")
    code = _CODE.format(folder=str(folder), seconds=HEADER_SECONDS)
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        log: list[str] = []
        for line in process.stdout:
            log.append(line)
            if url := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.fail("".join(log))

        def read(lines: Iterator[str]) -> None:
            for line in lines:
                log.append(line)
                del log[:-2000]

        reader = threading.Thread(target=read, args=(iter(process.stdout),))
        reader.start()
        try:
            yield Target(process, int(url[1]), log)
        finally:
            process.kill()
            reader.join()


def test_hostile_requests_hurt_nothing(target: Target) -> None:
    faults: list[str] = []
    statuses: Counter[tuple[str, int]] = Counter()
    settled = 0

    def one(number: int) -> None:
        request = hostile(random.Random(f"{SEED}/{number}"))
        judged = ask(target.port, request)
        statuses[request.kind, judged.status] += 1
        if judged.fault:
            faults.append(f"request {SEED}/{number} ({request.kind}): {judged.fault}")

    with ThreadPoolExecutor(4) as pool:
        for start in range(0, REQUESTS, 200):
            list(pool.map(one, range(start, min(start + 200, REQUESTS))))
            target.is_well()
            assert not faults, "\n".join(faults[:10])
            if start <= 0.2 * REQUESTS:
                settled = target.memory
    assert target.memory - settled < LONGEST_GROWTH
    kinds = {kind for kind, _ in statuses}
    assert len(kinds) >= 10
    assert any(status == 200 for _, status in statuses)
    traces = [line for line in target.log if "Traceback" in line or '"exception"' in line]
    assert not traces, traces[:3]
    print(f"\n{sum(statuses.values())} requests, {target.memory - settled:+,} bytes resident")
    for (kind, status), count in sorted(statuses.items()):
        print(f"{kind:14}{status or 'none':>6}{count:8}")


def test_slow_clients_are_shown_out_and_others_are_answered(target: Target) -> None:
    """Fifty that dribble a header, and fifty a body; none holds a place for long."""
    head = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\n"
    body = head + b"Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n\xff"
    slow = [socket.create_connection(("127.0.0.1", target.port), timeout=30) for _ in range(100)]
    for number, connection in enumerate(slow):
        connection.sendall(head if number % 2 else body)
    target.is_well()
    ended = 0
    deadline = time.monotonic() + 60
    while slow and time.monotonic() < deadline:
        time.sleep(0.2)
        for connection in list(slow):
            try:
                connection.sendall(b"X")
                connection.settimeout(0.001)
                received = connection.recv(1000)
            except TimeoutError:
                continue
            except ConnectionError:
                received = b""
            assert not received or b" 408 " in received
            connection.close()
            slow.remove(connection)
            ended += 1
    assert ended == 100
    target.is_well()


def test_half_closed_and_reset_connections_leave_nothing(target: Target) -> None:
    before = len(list(Path(f"/proc/{target.process.pid}/fd").iterdir()))
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", target.port), timeout=30)
        connection.sendall(b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    target.is_well()
    deadline = time.monotonic() + 30
    while len(list(Path(f"/proc/{target.process.pid}/fd").iterdir())) > before + 5:
        assert time.monotonic() < deadline, "connections are kept"
        time.sleep(0.1)
