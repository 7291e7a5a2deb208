"""What the machine can do without a service: bare.py PICTURES SECONDS [MODEL].

Prints pictures a second of the bare loop (each of as many threads as there are processors decodes
and preprocesses eight pictures and runs them as a batch), and the median of the seconds that
decoding, preprocessing and running one picture take when it is alone; as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from itertools import cycle, islice
from pathlib import Path

from pawsight.cpus import usable_cpus
from pawsight.inference.catalog import load_network

BATCH = 8


def loop(pictures: list[bytes], seconds: float, model: str) -> float:
    network = load_network(model, threads=1)  # a thread for each loop is what is fastest
    threads = usable_cpus()
    counts = [0] * threads
    start = time.perf_counter()

    def work(number: int) -> None:
        mine = cycle(pictures[number::threads])
        while time.perf_counter() < start + seconds:
            network.answer([network.read(each) for each in islice(mine, BATCH)])
            counts[number] += BATCH

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return sum(counts) / (time.perf_counter() - start)


def alone(pictures: list[bytes], seconds: float, model: str) -> float:
    network = load_network(model)
    times: list[float] = []
    end = time.perf_counter() + seconds
    for picture in cycle(pictures):
        start = time.perf_counter()
        if start > end:
            break
        network.predict(picture)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    folder, seconds, [model] = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] or ["custom"]
    pictures = [each.read_bytes() for each in sorted(folder.glob("*.jpg"))[:300]]
    loop(pictures, 0.5, model)
    rate, time_alone = loop(pictures, seconds, model), alone(pictures, seconds / 2, model)
    print(json.dumps({"rate": rate, "alone": time_alone}))


if __name__ == "__main__":
    main()
