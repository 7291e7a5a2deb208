"""How fast the service is, as ratios to what else the same machine does in the same run.

    python benchmarks/serve.py [PART ...] [--data DATA] [--naive FILE]

Parts, each less than half a minute; all by default:

    naive     against a naive service (serving/naive.py: FastAPI, a ViT-B/16 in eager torch; --naive
              names another)
    bare      against the bare loop, without HTTP; and the latency of one client alone
    litserve  against LitServe with the same network and decoding (pip install litserve)
    load      p99 at 70 % of the highest rate; what is answered at twice the highest rate
    record    with the record of answers against without
    start     the time until it is ready against bare imports; resident memory

Starts everything itself. The load comes from `wrk` (a Debian package), on the same processors. The
pictures are JPEGs of 500×375, made from DATA/originals, or drawn where there is no such folder. The
service has its default settings, but keeps no answers (PAWSIGHT_CACHE=0), and its record lies in a
temporary folder. Where OpenVINO is installed, it runs the networks (PAWSIGHT_PROVIDER=cpu takes
ONNX Runtime); the bare loop and LitServe are measured in ONNX Runtime, then in OpenVINO as well.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from PIL import Image, ImageDraw

from pawsight.inference.runtimes import chosen_providers
from pawsight.inference.session import CPU, OPENVINO

HERE: Final = Path(__file__).parent / "serving"
SIZE: Final = (500, 375)
PICTURES: Final = 64
SECONDS: Final = 6.0
CONNECTIONS: Final = 16
CROWD: Final = 500  # that ask for twice the highest rate
PAIRS: Final = 5
SERVE: Final = ["-c", "from pawsight.cli import main; main()", "serve", "--port"]
RUNTIMES: Final = {CPU: "ONNX Runtime", OPENVINO: "OpenVINO"}
IMPORTS: Final = (
    "import fastapi, numpy, {}, pydantic_settings, typer, uvicorn; from PIL import Image"
)


@dataclass(frozen=True)
class Load:
    """What wrk saw.

    Attributes:
        rate: Answers a second that are no refusals.
        offered: Requests a second.
        refused: The part of them that was refused.
        percentiles: Of all latencies in seconds, from 0.1 to 100 in tenths.
    """

    rate: float
    offered: float
    refused: float
    percentiles: dict[float, float]


@dataclass(frozen=True)
class Bench:
    """One run.

    Attributes:
        pictures: The folder of the pictures, 0.jpg and so on.
        naive: The naive service's file.
    """

    pictures: Path
    naive: Path = HERE / "naive.py"

    @cached_property
    def highest(self) -> Load:
        """Of `custom`."""
        with self.service() as url:
            self.load(f"{url}/predict/custom", seconds=1.5)
            return self.load(f"{url}/predict/custom")

    @contextmanager
    def service(self, **settings: str) -> Iterator[str]:
        with started([sys.executable, *SERVE], "/health/ready", settings=settings) as (url, _):
            yield url

    def load(
        self,
        url: str,
        *,
        seconds: float = SECONDS,
        connections: int = CONNECTIONS,
        delay: float = 0.0,
    ) -> Load:
        """Send pictures; each connection pauses for ``delay`` seconds on average."""
        # A thread of wrk looks through the timers of all of its connections each time.
        threads = ceil(connections / 128)
        wrk = ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds:.0f}s"]
        script = ["--timeout", "20s", "-s", str(HERE / "load.lua"), url]
        done = subprocess.run(
            [*wrk, *script, "--", str(self.pictures), str(delay * 1000)],
            check=True,
            capture_output=True,
            text=True,
        )
        line = next(each for each in done.stdout.splitlines() if each.startswith("JSON "))
        said = json.loads(line.removeprefix("JSON "))
        for how, number in said["failed"].items():
            if number:
                print(f"{number} of {said['requests']} requests failed {how}", file=sys.stderr)
        good = said["requests"] - said["refused"]
        return Load(
            good / said["seconds"],
            said["requests"] / said["seconds"],
            said["refused"] / max(said["requests"], 1),
            {float(each): value for each, value in said["percentiles"].items()},
        )


Rows = Iterator[tuple[str, str, str]]


def against_naive(bench: Bench) -> Rows:
    rates = {}
    with bench.service() as url:
        for model, seconds in (("custom", 4), ("auto", 5), ("pretrained", 8)):
            bench.load(f"{url}/predict/{model}", seconds=1)
            rates[model] = bench.load(f"{url}/predict/{model}", seconds=seconds).rate
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(bench.naive.parent)]
    command += ["--no-access-log", f"{bench.naive.stem}:app", "--port"]
    with started(command, "/docs") as (url, _):
        bench.load(f"{url}/predict/pretrained", seconds=1, connections=1)
        naive = bench.load(f"{url}/predict/pretrained", connections=8, seconds=6).rate
    for model, target in (("custom", 80), ("auto", 40), ("pretrained", 8)):
        yield (f"`{model}` / naive service, rate", f"{rates[model] / naive:.1f}", f"≥ {target}")


def runtimes() -> list[str]:
    """ONNX Runtime, and what else runs the service's networks."""
    return sorted({CPU, chosen_providers()[0]})


def against_the_bare_loop(bench: Bench) -> Rows:
    def bare() -> dict[str, dict[str, float]]:
        command = [sys.executable, str(HERE / "bare.py"), str(bench.pictures), "4"]
        return {
            each: json.loads(subprocess.check_output(command, env=running(each)))
            for each in runtimes()
        }

    first = bare()
    with bench.service() as url:
        bench.load(f"{url}/predict/custom", seconds=1)
        served = bench.load(f"{url}/predict/custom", seconds=6)
        alone = bench.load(f"{url}/predict/custom", connections=1, seconds=4)
    second = bare()
    for each in runtimes():
        rate = statistics.mean([first[each]["rate"], second[each]["rate"]])
        latency = statistics.mean([first[each]["alone"], second[each]["alone"]])
        named = RUNTIMES[each]
        yield (f"`custom` / bare loop in {named}, rate", f"{served.rate / rate:.2f}", "≥ 0.70")
        yield (
            f"one client alone / decode + preprocess + run in {named}, median latency",
            f"{alone.percentiles[50] / latency:.2f}",
            "≤ 1.30",
        )


def against_litserve(bench: Bench) -> Rows:
    for runtime in runtimes():
        rates = []
        for workers in (1, 2):
            command, settings = [sys.executable, str(HERE / "lit.py")], running(runtime)
            with started(command, "/health", str(workers), settings=settings) as (url, _):
                bench.load(f"{url}/predict", seconds=1)
                rates.append(bench.load(f"{url}/predict", seconds=4).rate)
        ratio = bench.highest.rate / max(rates)
        how = f"{RUNTIMES[runtime]}, {'one worker' if rates[0] > rates[1] else 'two workers'}"
        yield (f"`custom` / LitServe ({how}), rate", f"{ratio:.2f}", "≥ 1.5")


def running(provider: str) -> dict[str, str]:
    """The environment in which a provider runs the networks."""
    return {**os.environ, "PAWSIGHT_PROVIDER": provider}


def under_load(bench: Bench) -> Rows:
    highest = bench.highest
    with bench.service() as url:
        address = f"{url}/predict/custom"
        bench.load(address, seconds=1)
        many = 48
        part = bench.load(
            address,
            seconds=8,
            connections=many,
            delay=many / (0.7 * highest.rate) - 2 * highest.percentiles[50] / CONNECTIONS,
        )
        # Long pauses, so that the rate hardly depends on the answers: requests come whether or not
        # those before were answered.
        over = bench.load(
            address, seconds=8, connections=CROWD, delay=CROWD / (2 * highest.rate) - 0.1
        )
    yield (
        f"p99 / median latency at {part.offered / highest.rate:.0%} of the highest rate",
        f"{part.percentiles[99] / part.percentiles[50]:.1f}",
        "≤ 5",
    )
    yield (
        f"answered at {over.offered / highest.rate:.1f} × the highest rate / highest rate",
        f"{over.rate / highest.rate:.2f}",
        "≥ 0.90",
    )
    # Refusals are the fastest answers: the slowest 1 % of what was accepted are this part of all.
    accepted = round(100 - (1 - over.refused), 1)
    yield (
        "p99 of the accepted then / the time that the full queue takes",
        f"{over.percentiles[accepted] / (64 / highest.rate):.2f}",
        "bounded",
    )


def in_turns(bench: Bench, one: str, other: str, **load: Any) -> list[float]:  # noqa: ANN401
    """One service's rate in parts of another's, of each of some pairs that take a few seconds.

    So what else the machine does falls on both.
    """
    ratios = []
    for turn in range(PAIRS):
        order = (one, other) if turn % 2 else (other, one)
        rates = {url: bench.load(f"{url}/predict/custom", seconds=2, **load).rate for url in order}
        ratios.append(rates[one] / rates[other])
    return ratios


def with_the_record(bench: Bench) -> Rows:
    with bench.service() as on, bench.service(PAWSIGHT_RECORDS="off") as off:
        for url in (on, off):
            bench.load(f"{url}/predict/custom", seconds=1)
        ratios = in_turns(bench, on, off)
    print(f"record on / off, of each pair: {[round(each, 3) for each in ratios]}", file=sys.stderr)
    yield (
        f"`custom` with the record / without, rate (median of {PAIRS} pairs)",
        f"{statistics.median(ratios):.3f}",
        "≥ 0.97",
    )


def at_the_start(bench: Bench) -> Rows:
    ratios = []
    runtime = "openvino" if chosen_providers()[0] == OPENVINO else "onnxruntime"
    for _ in range(4):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS.format(runtime)], check=True)
        imports = time.perf_counter() - start
        start = time.perf_counter()
        with started([sys.executable, *SERVE], "/health/ready"):
            ratios.append((time.perf_counter() - start) / imports)
    yield ("ready / bare imports, time", f"{statistics.median(ratios[1:]):.2f}", "≤ 2.5")
    with started([sys.executable, *SERVE], "/health/ready") as (url, process):
        idle = resident(process)
        for model in ("custom", "auto", "pretrained"):
            bench.load(f"{url}/predict/{model}", seconds=3, connections=48)
        loaded = resident(process)
    yield ("resident with all embedded models, MB: ready", f"{idle:.0f}", "≤ 400")
    yield ("resident with all embedded models, MB: after load", f"{loaded:.0f}", "≤ 400")


PARTS: Final[dict[str, Callable[[Bench], Rows]]] = {
    "naive": against_naive,
    "bare": against_the_bare_loop,
    "litserve": against_litserve,
    "load": under_load,
    "record": with_the_record,
    "start": at_the_start,
}


@contextmanager
def started(
    command: list[str],
    path: str,
    *more: str,
    patience: float = 60,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server, whose command ends in its port, until the block ends; begin when it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {"PAWSIGHT_CACHE": "0", **os.environ, **settings}
    process = subprocess.Popen(
        [*command, str(port), *more],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + patience
        while not answers(url + path):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(command)} does not answer at {path}")
            time.sleep(0.01)
        yield url, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with its workers
        process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def resident(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def make_pictures(data: Path | None, folder: Path) -> None:
    originals = sorted((data / "originals").glob("*.jpg"))[:PICTURES] if data else []
    for number in range(PICTURES):
        image = (
            Image.open(originals[number]).convert("RGB").resize(SIZE)
            if number < len(originals)
            else drawn(number)
        )
        file = io.BytesIO()
        image.save(file, "JPEG", quality=90)
        (folder / f"{number}.jpg").write_bytes(file.getvalue())


def drawn(seed: int) -> Image.Image:
    """Discs on noise, about as large a file as a photograph."""
    draw = random.Random(seed)
    noise = Image.frombytes("RGB", (50, 38), draw.randbytes(50 * 38 * 3))
    image = noise.resize(SIZE, Image.Resampling.BICUBIC)
    canvas = ImageDraw.Draw(image)
    for _ in range(20):
        x, y, r = draw.randrange(SIZE[0]), draw.randrange(SIZE[1]), draw.randrange(10, 80)
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=tuple(draw.randbytes(3)))
    return image


def parser_of(text: str | None) -> argparse.ArgumentParser:
    """For a script with this docstring: what it is for, and how it is called."""
    description, _, usage = (text or "").partition("\n")
    return argparse.ArgumentParser(
        description=description,
        epilog=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--naive", type=Path, default=Bench.naive)
    given: Any = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(given.data, Path(folder))
        os.environ.setdefault("PAWSIGHT_RECORDS", f"sqlite:///{folder}/records.db")
        bench = Bench(Path(folder), given.naive)
        print("| what | measured | aim |\n|---|---|---|", flush=True)
        for part in given.parts or PARTS:
            for row in PARTS[part](bench):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
