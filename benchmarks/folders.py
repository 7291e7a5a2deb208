"""How fast `pawsight classify` is on a folder, as ratios in one run.

    python benchmarks/folders.py DATA [--pictures N] [--parts bare resume memory transformers ray]

DATA/originals gives the pictures, N hard links to them (2,000 by default) in a temporary folder.
What a command takes is counted without its start-up, that of a folder of one picture.

- bare: against a thread for each processor that decodes, preprocesses and runs batches of eight
- resume: what `--resume` costs where half of 100,000 pictures have their records, against the run
- memory: the highest of a run over 1,000,000 paths, and over 10,000 (empty files: each is a record)
- transformers: against `pipeline("image-classification")`, a ViT-B/16 of random weights
- ray: a Ray cluster of two nodes of one processor each against one such node, over 2 N pictures in
  partitions of 128 (the default is 2,048); and what the machine gives, which driver and nodes
  share: two runs without Ray of one processor each, half of the pictures in each, against one
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "serving"
CODE = "from pawsight.cli import main; main()"
LINKS = 50_000  # of one file: file systems have a limit
PARTS = ("bare", "resume", "memory", "transformers", "ray")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--model", default="custom")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = sorted((given.data / "originals").glob("*.jpg"))
        album = filled(folder / "album", sources, given.pictures)
        starting = taken(album_of_one := filled(folder / "one", sources, 1), folder, given.model)
        rate = given.pictures / (taken(album, folder, given.model) - starting)
        if "bare" in given.parts:
            bare = rate_of_bare_loop(album, given.model)
            print(f"classify / bare loop, pictures a second: {rate / bare:.2f}")
        if "resume" in given.parts:
            resume(folder, album_of_one, given.model, rate)
        if "memory" in given.parts:
            memory(folder, given.model)
        if "transformers" in given.parts:
            print(f"classify / transformers.pipeline: {rate / rate_of_transformers(album):.1f}")
        if "ray" in given.parts:
            by_ray(folder, filled(folder / "twice", sources, 2 * given.pictures), given.model)


def filled(folder: Path, sources: list[Path], count: int) -> Path:
    folder.mkdir()
    for number, source in enumerate(islice(cycle(sources), count)):
        target = folder / f"{number:07}.jpg"
        try:
            os.link(source, target)
        except OSError:  # on another disk
            os.symlink(source.resolve(), target)
    return folder


def classify(folder: Path, output: Path, model: str, *more: str) -> list[str]:
    command = [sys.executable, "-c", CODE, "classify", str(folder), "--model", model]
    return [*command, "--output", str(output), *more]


def taken(album: Path, folder: Path, model: str) -> float:
    """Seconds of a whole run."""
    output = folder / "answers.jsonl"
    output.unlink(missing_ok=True)
    return seconds(classify(album, output, model))


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def rate_of_bare_loop(folder: Path, model: str) -> float:
    command = [sys.executable, str(HERE / "bare.py"), str(folder), "8", model]
    said: dict[str, float] = json.loads(subprocess.check_output(command))
    return said["rate"]


def resume(folder: Path, one: Path, model: str, rate: float) -> None:
    """50,000 pictures with records beside the time that the other 50,000 would take."""
    [source] = one.iterdir()
    album = filled(folder / "half", [source], LINKS)
    output = folder / "half.jsonl"
    subprocess.run(classify(one, output, model), check=True)
    row = json.loads(output.read_text())
    began = seconds(classify(one, output, model, "--resume"))
    with output.open("w") as stream:
        for each in sorted(album.iterdir()):
            stream.write(json.dumps(row | {"path": str(each)}, ensure_ascii=False) + "\n")
    again = seconds(classify(album, output, model, "--resume"))
    assert len(output.read_bytes().splitlines()) == LINKS, "something was answered again"
    print(f"cost of resuming / run of {2 * LINKS:,}: {(again - began) * rate / (2 * LINKS):.2%}")


def memory(folder: Path, model: str) -> None:
    highest = {}
    for count in (10_000, 1_000_000):
        album = folder / f"empty-{count}"
        for start in range(0, count, LINKS):
            (album / f"{start:07}").mkdir(parents=True)
            (source := album / f"{start:07}" / "0000000.jpg").touch()
            for number in range(1, min(LINKS, count)):
                os.link(source, source.with_name(f"{number:07}.jpg"))
        output = folder / f"empty-{count}.jsonl"
        process = subprocess.Popen(classify(album, output, model), stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        with output.open("rb") as lines:
            assert sum(1 for _ in lines) == count, "a record is missing"
        highest[count] = usage.ru_maxrss / 1024
    print(f"memory at 1,000,000 paths - at 10,000, MB: {highest[1_000_000] - highest[10_000]:.0f}")


def rate_of_transformers(album: Path) -> float:
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
    start = time.perf_counter()
    list(asked(paths))
    return len(paths) / (time.perf_counter() - start)


def by_ray(folder: Path, album: Path, model: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    rates = []
    few = filled(folder / "few", sorted(album.iterdir()), 2)
    for nodes in (1, 2):
        cluster.add_node(num_cpus=1)
        more = ("--ray", cluster.address, "--partition", "128")
        took = [
            seconds(classify(each, folder / f"{each.name}-{nodes}", model, *more))
            for each in (few, album)
        ]
        rates.append(1 / (took[1] - took[0]))
    cluster.shutdown()
    print(f"Ray, two nodes of one processor / one: {rates[1] / rates[0]:.2f}")
    pictures = sorted(album.iterdir())
    halves = [filled(folder / f"half-{n}", pictures[n::2], len(pictures) // 2) for n in (0, 1)]
    alone = pinned([album], model) - (starting := pinned([few], model))
    print(f"the same without Ray: {alone / (pinned(halves, model) - starting):.2f}")


def pinned(albums: list[Path], model: str) -> float:
    """Seconds until runs, each on a processor of its own, have ended."""
    start = time.perf_counter()
    runs = []
    for number, album in zip(sorted(os.sched_getaffinity(0)), albums, strict=False):
        output = album.with_suffix(".jsonl")
        output.unlink(missing_ok=True)
        runs.append(process := subprocess.Popen(classify(album, output, model)))
        os.sched_setaffinity(process.pid, {number})
    assert not any(run.wait() for run in runs)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
