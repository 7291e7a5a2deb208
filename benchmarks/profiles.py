"""Who holds the interpreter's lock while the service is under load, by py-spy.

    pip install py-spy
    python -m benchmarks.profiles [--data DATA]

Starts the service with `custom`, the load of `serve.py` (16 connections, and then twice the highest
rate) and `py-spy record --gil -r 200`, and prints a table. Of another state of the source: with
PYTHONPATH=THAT/src. The profiler slows the service, which is said too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.serve import CROWD, SERVE, Bench, make_pictures, parser_of, started

RATE: Final = 200  # samples a second
SECONDS: Final = 10

# Of a stack, from the outside in: what is found first in one of these words is its row's.
ROWS: Final = (
    ("event loop", ("MainThread",)),
    ("in it, from uvicorn's `run_asgi` down: framework, route and answer", ("run_asgi",)),
    ("in that, uvicorn's `send` of the answer", ("RequestResponseCycle.send",)),
    ("in that, reading the body", ("read_picture",)),
    ("in it, reading from sockets and refusing", ("data_received",)),
    ("threads that decode and run", ("pictures-",)),
    ("in them, reading pictures", ("Classifier.read",)),
    ("in them, running networks and what follows", ("_tell",)),
)


def profiled(bench: Bench, url: str, pid: int, **load: Any) -> tuple[Counter[str], float, float]:  # noqa: ANN401
    """Samples by row (and all), the rate under the profiler, and the rate without it."""
    free = bench.load(url, seconds=4, **load).rate
    rates: list[float] = []
    under = threading.Thread(
        target=lambda: rates.append(bench.load(url, seconds=SECONDS + 2, **load).rate)
    )
    under.start()
    time.sleep(1)
    with tempfile.NamedTemporaryFile() as file:
        command = ["py-spy", "record", "--gil", "--threads", "-r", str(RATE), "-d", str(SECONDS)]
        subprocess.run(
            [*command, "-f", "raw", "-o", file.name, "-p", str(pid)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        stacks = Path(file.name).read_text(encoding="utf-8").splitlines()
    under.join()
    found: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        found["all"] += int(count)
        for row, words in ROWS:
            if any(word in stack for word in words):
                found[row] += int(count)
    return found, rates[0], free


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path)
    given: Any = parser.parse_args()
    for program in ("wrk", "py-spy"):
        if not shutil.which(program):
            raise SystemExit(f"{program} is missing: apt-get install wrk; pip install py-spy")
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(given.data, Path(folder))
        os.environ.setdefault("PAWSIGHT_RECORDS", f"sqlite:///{folder}/records.db")
        bench = Bench(Path(folder))
        with started([sys.executable, *SERVE], "/health/ready") as (address, process):
            url = f"{address}/predict/custom"
            bench.load(url, seconds=1.5)
            full, full_rate, highest = profiled(bench, url, process.pid)
            over, over_rate, answered = profiled(
                bench, url, process.pid, connections=CROWD, delay=CROWD / (2 * highest) - 0.1
            )
    columns = (full, over)
    print("| of the samples in which the lock is held | 16 connections | twice the rate |")
    print("|---|---|---|")
    for row, _ in ROWS:
        shares = (f"{each[row] / each['all']:.0%}" for each in columns)
        print(f"| {row} | {' | '.join(shares)} |")
    held = (f"{each['all'] / (RATE * SECONDS):.0%}" for each in columns)
    print(f"| samples in which it is held | {' | '.join(held)} |")
    slowed = (f"{full_rate / highest:.2f}", f"{over_rate / answered:.2f}")
    print(f"| rate under the profiler / without | {' | '.join(slowed)} |")


if __name__ == "__main__":
    main()
