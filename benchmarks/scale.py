"""What many pictures cost: cores, hours, storage, network; by measured rates and a simulation.

    python benchmarks/scale.py DATA [--cores-per-machine 16] [--bandwidth 1.25e9] [--latency 0.05]
        [--failures 0.01] [--partition 2048]

Measured on this machine, with DATA/originals: the processor time of a picture, the bytes of a file
and of a record. Assumed, and printed: the rest. The simulation gives partitions to workers one
after another, as Ray Data does; a machine is lost at random, and another comes in its place after
five minutes; what its workers had in hand is done again.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pawsight.bulk.fetching import AT_ONCE
from pawsight.bulk.items import FileItem
from pawsight.bulk.parts import packed
from pawsight.bulk.pipeline import classify
from pawsight.inference.catalog import load

MODELS = ("custom", "auto", "pretrained")
SIZES = (10**6, 10**8, 10**10)
REPLACED = 300  # seconds until another machine is there
MACHINES = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Measured:
    """Of a picture.

    Attributes:
        seconds: Of one core, decoding included.
        file: Bytes of it.
        record: Bytes of its row in Parquet.
    """

    seconds: float
    file: float
    record: float


@dataclass(frozen=True)
class Assumed:
    """Of the machines.

    Attributes:
        cores: Of each.
        bandwidth: Of each, in bytes a second.
        latency: Of the store until a picture's first byte, in seconds.
        failures: Of a machine, per hour.
        partition: Pictures in one.
    """

    cores: int
    bandwidth: float
    latency: float
    failures: float
    partition: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--cores-per-machine", type=int, default=16)
    parser.add_argument("--bandwidth", type=float, default=1.25e9)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--failures", type=float, default=0.01)
    parser.add_argument("--partition", type=int, default=2048)
    given = parser.parse_args()
    assumed = Assumed(
        given.cores_per_machine, given.bandwidth, given.latency, given.failures, given.partition
    )
    print(f"assumed: {assumed}\n")
    files = sorted((given.data / "originals").glob("*.jpg"))[: given.pictures]
    found = {model: measure(files, model) for model in MODELS}
    for model, each in found.items():
        print(f"measured: {model}: {each}")
    print()
    for line in costs(found):
        print(line)
    print()
    for line in plan(found["auto"], assumed):
        print(line)
    print()
    for line in partitions(found["auto"], assumed):
        print(line)


def measure(files: list[Path], model: str) -> Measured:
    asked = load(model, threads=1)
    list(classify(asked, map(FileItem, files[:8]), 1))
    start = time.process_time()
    rows = [record.row() for record in classify(asked, map(FileItem, files), 1)]
    seconds = (time.process_time() - start) / len(files)
    record = len(packed(rows, asked.card.labels)) / len(rows)
    return Measured(seconds, statistics.mean(each.stat().st_size for each in files), record)


def costs(found: dict[str, Measured]) -> Iterator[str]:
    """Whatever the machines are: core hours, what is read, what is written."""
    yield (
        "| pictures | "
        + " | ".join(f"core hours, `{name}`" for name in found)
        + " | read | written |"
    )
    yield "|---|" + "---|" * (len(found) + 2)
    for size in SIZES:
        hours = (f"{size * each.seconds / 3600:,.0f}" for each in found.values())
        each = found["auto"]
        moved = (readable(size * each.file), readable(size * each.record))
        yield f"| {size:,} | {' | '.join(hours)} | {' | '.join(moved)} |"


def readable(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} PB"


def rate(each: Measured, assumed: Assumed) -> tuple[float, str]:
    """Pictures a second of a machine, and what holds it there."""
    limits = {
        "its cores": assumed.cores / each.seconds,
        "its network": assumed.bandwidth / each.file,
        "the store's latency": assumed.cores * AT_ONCE / assumed.latency,
    }
    what = min(limits, key=limits.__getitem__)
    return limits[what], what


def plan(each: Measured, assumed: Assumed) -> Iterator[str]:
    """`auto`, by the number of machines."""
    yield "| pictures | machines | hours | of the ideal | a second | read a second | held by |"
    yield "|---|---|---|---|---|---|---|"
    for size in SIZES:
        for machines in MACHINES:
            speed, what = rate(each, assumed)
            ideal = size / (speed * machines)
            if not 60 < ideal < 400 * 86400:
                continue
            took = simulated(size, machines, speed, assumed)
            yield (
                f"| {size:,} | {machines:,} | {took / 3600:,.2f} | {ideal / took:.1%} "
                f"| {size / took:,.0f} | {readable(size / took * each.file)} | {what} |"
            )


def partitions(each: Measured, assumed: Assumed) -> Iterator[str]:
    """The knob: how large a partition is."""
    yield "| pictures in a partition | of the ideal time, 10^8 on 100 machines | files written |"
    yield "|---|---|---|"
    size, machines = 10**8, 100
    speed, _ = rate(each, assumed)
    for partition in (256, 2048, 16_384, 131_072):
        other = Assumed(**{**vars(assumed), "partition": partition})
        took = simulated(size, machines, speed, other)
        yield f"| {partition:,} | {size / (speed * machines) / took:.1%} | {size // partition:,} |"


def simulated(size: int, machines: int, speed: float, assumed: Assumed) -> float:
    """Seconds until the last partition is done."""
    draw = random.Random(0)
    of_worker = assumed.partition / (speed / assumed.cores)
    left = -(-size // assumed.partition)
    dies = [draw.expovariate(assumed.failures / 3600) for _ in range(machines)]
    free = [(0.0, worker % machines) for worker in range(machines * assumed.cores)]
    heapq.heapify(free)
    end = 0.0
    while left:
        now, machine = heapq.heappop(free)
        done = now + of_worker * draw.uniform(0.8, 1.2)  # pictures differ
        if now < dies[machine] < done:  # lost, with its other workers
            heapq.heappush(free, (dies[machine] + REPLACED, machine))
            continue
        if dies[machine] <= now - REPLACED:
            dies[machine] = now + draw.expovariate(assumed.failures / 3600)
        left -= 1
        end = max(end, done)
        heapq.heappush(free, (done, machine))
    return end


if __name__ == "__main__":
    main()
