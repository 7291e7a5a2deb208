"""How long `pawsight --help` takes, as a multiple of importing numpy and typer.

    python benchmarks/startup.py

Runs the two in turn, several times, and prints the median of the pairs' ratios. Aim: at most 3.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
HELP = [sys.executable, "-c", "from pawsight.cli import main; main()", "--help"]
IMPORTS = [sys.executable, "-c", "import numpy, typer"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    for command in (HELP, IMPORTS):
        seconds(command)  # fills the file cache
    ratios = sorted(seconds(HELP) / seconds(IMPORTS) for _ in range(RUNS))
    print(
        f"pawsight --help / import numpy, typer: {statistics.median(ratios):.2f} "
        f"(median of {RUNS} pairs, {ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


if __name__ == "__main__":
    main()
