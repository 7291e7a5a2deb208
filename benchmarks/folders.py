"""How fast `pawsight classify` is on a folder, as ratios in one run.

    python benchmarks/folders.py DATA [--pictures N] [--transformers]

DATA/originals gives the pictures, N hard links to them (2,000 by default) in a temporary folder.

- bare: a thread for each processor decodes, preprocesses and runs batches of eight, no records
- classify: `pawsight classify FOLDER --output FILE`, start-up left out (that of a folder of one
  picture is taken away)
- resume: the same run again with half of the records there, against a whole run of the same command
- transformers (--transformers): `pipeline("image-classification")`, ViT-B/16 of random weights
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "serving"
CODE = "from pawsight.cli import main; main()"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--model", default="custom")
    parser.add_argument("--transformers", action="store_true")
    given = parser.parse_args()
    sources = sorted((given.data / "originals").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        album, one = folder / "album", folder / "one"
        for target, count in ((album, given.pictures), (one, 1)):
            target.mkdir()
            for number, source in enumerate(islice(cycle(sources), count)):
                link(source, target / f"{number:07}.jpg")
        measure(folder, album, one, given.model, given.pictures)
        if given.transformers:
            against_transformers(album, one, folder, given.model, given.pictures)


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        os.symlink(source.resolve(), target)


def measure(folder: Path, album: Path, one: Path, model: str, count: int) -> None:
    starting = seconds(lambda: classify(one, folder / "one.jsonl", model))
    bare = [rate_of_bare_loop(album, model)]
    whole = seconds(lambda: classify(album, folder / "all.jsonl", model))
    bare.append(rate_of_bare_loop(album, model))
    rate = count / (whole - starting)
    lines = (folder / "all.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "half.jsonl").write_bytes(b"".join(lines[: count // 2]))
    resumed = seconds(lambda: classify(album, folder / "half.jsonl", model, "--resume"))
    # Half the pictures, and what it cost to find out which half.
    cost = (resumed - starting - (whole - starting) / 2) / (whole - starting)
    print(f"classify / bare loop, pictures a second: {rate / (sum(bare) / 2):.2f}")
    print(f"cost of resuming / whole run of {count}: {cost:.1%}")


def classify(folder: Path, output: Path, model: str, *more: str) -> None:
    if not more:
        output.unlink(missing_ok=True)
    command = [sys.executable, "-c", CODE, "classify", str(folder), "--model", model]
    subprocess.run([*command, "--output", str(output), *more], check=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rate_of_bare_loop(folder: Path, model: str) -> float:
    command = [sys.executable, str(HERE / "bare.py"), str(folder), "8", model]
    said: dict[str, float] = json.loads(subprocess.check_output(command))
    return said["rate"]


def against_transformers(album: Path, one: Path, folder: Path, model: str, count: int) -> None:
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor, pipeline

    network: Any = ViTForImageClassification(ViTConfig())
    build: Any = pipeline  # its overloads know no ready networks
    asked = build(
        "image-classification",
        model=network.eval(),
        image_processor=ViTImageProcessor(),
        device=torch.device("cpu"),
        batch_size=8,
    )
    paths = [str(each) for each in sorted(album.glob("*.jpg"))[:64]]
    asked(paths[:8])
    theirs = len(paths) / seconds(lambda: list(asked(paths)))
    starting = seconds(lambda: classify(one, folder / "again-one.jsonl", model))
    whole = seconds(lambda: classify(album, folder / "again.jsonl", model))
    print(f"classify / transformers.pipeline: {count / (whole - starting) / theirs:.1f}")


if __name__ == "__main__":
    main()
