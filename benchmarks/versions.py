"""Two versions of the service, by turns: their rates, and what they answer at too much load.

python -m benchmarks.versions --data DATA OLD NEW

OLD and NEW are the Pythons of two environments in which the versions are installed. Both services
run all the time, and the load (see serve.py) goes to one and to the other, a few seconds each.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.serve import CROWD, SERVE, Bench, in_turns, make_pictures, parser_of, started


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--data", type=Path)
    given: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        make_pictures(given.data, Path(folder))
        bench = Bench(Path(folder))
        old, new = (
            running.enter_context(
                started(
                    [python, *SERVE],
                    "/health/ready",
                    settings={"PAWSIGHT_RECORDS": f"sqlite:///{folder}/{name}.db"},
                )
            )[0]
            for name, python in (("old", given.old), ("new", given.new))
        )
        bench.load(f"{new}/predict/custom", seconds=1.5)
        highest = bench.load(f"{old}/predict/custom").rate
        print("| new / old, rate | median | of each pair |\n|---|---|---|")
        for name, load in (
            ("16 connections", {}),
            (
                "twice the old highest rate",
                {"connections": CROWD, "delay": CROWD / (2 * highest) - 0.1},
            ),
        ):
            ratios = in_turns(bench, new, old, **load)
            pairs = ", ".join(f"{each:.2f}" for each in ratios)
            print(f"| {name} | {statistics.median(ratios):.2f} | {pairs} |", flush=True)


if __name__ == "__main__":
    main()
