"""Accuracy against time by the height and width at which a SimpleCNN is served.

    python benchmarks/input_size.py RUN … [--sizes 160 192 224 256] [--plot sizes.svg]

RUN is the `training` folder of a model folder, with its pictures still where they were. Its network
is exported at each size, in float32 and in int8, and asked about the validation split of its table;
runs that are to be compared have the same one. Times are those of the network alone on one picture,
relative to the fastest.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pawsight.cpus import usable_cpus
from pawsight.data.pictures import load_pictures
from pawsight.evaluation.metrics import wilson_interval
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.inference.artifact import NETWORK_FILE, QUANTISED_FILE
from pawsight.labels import NEITHER, classes_of
from pawsight.training.export import write_onnx
from pawsight.training.networks import load_weights, random_network
from pawsight.training.quantise import calibration_pictures, quantise
from pawsight.training.run import RunFolder

BATCH = 32
ROUNDS = 30


@dataclass(frozen=True)
class Point:
    """What a network gives at a size in an arithmetic."""

    recipe: str
    size: int
    arithmetic: str
    right: int
    pictures: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 192, 224, 256])
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    points = [
        point
        for run in arguments.runs
        for size in arguments.sizes
        for point in measure(RunFolder(run), size)
    ]
    fastest = min(point.seconds for point in points)
    print(
        "| recipe | pixels | arithmetic | right on validation | 95 % interval | time |\n"
        "|---|---|---|---|---|---|"
    )
    for point in points:
        low, high = wilson_interval(point.right, point.pictures)
        print(
            f"| `{point.recipe}` | {point.size} | {point.arithmetic} "
            f"| {point.right / point.pictures:.2%} | {low:.2%} to {high:.2%} "
            f"| {point.seconds / fastest:.2f} × |"
        )
    if arguments.plot:
        draw(points, fastest, arguments.plot)


def measure(run: RunFolder, size: int) -> list[Point]:
    recipe, table = run.read()
    labels = classes_of(table["label"])
    how = Preprocessing(height=size, width=size)
    network = random_network(recipe, len(labels))
    load_weights(network, run.best)
    known = table[(table["split"] == "validation") & (table["label"] != NEITHER)]
    pixels = load_pictures(known["path"].tolist(), how)
    right = np.array([labels.index(label) for label in known["label"]])
    points = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_onnx(network.eval(), how, folder / NETWORK_FILE)
        training = table[table["split"] == "train"]
        quantise(folder, calibration_pictures(training, how, recipe.seed), labels, how)
        for file, arithmetic in ((NETWORK_FILE, "float32"), (QUANTISED_FILE, "int8")):
            session = open_session(folder / file)
            answers = ask(session, pixels, how)
            correct = int((answers.argmax(axis=1) == right).sum())
            seconds = shortest(session, size)
            points.append(Point(recipe.name, size, arithmetic, correct, len(right), seconds))
    return points


def open_session(file: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def ask(
    session: ort.InferenceSession, pixels: NDArray[np.uint8], how: Preprocessing
) -> NDArray[np.float32]:
    rows = [
        session.run(["logits"], {"pixel_values": normalise(pixels[start : start + BATCH], how)})[0]
        for start in range(0, len(pixels), BATCH)
    ]
    return np.concatenate(rows)


def shortest(session: ort.InferenceSession, size: int) -> float:
    """Seconds for one picture."""
    picture = np.random.default_rng(0).standard_normal((1, 3, size, size), dtype=np.float32)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        session.run(["logits"], {"pixel_values": picture})
        best = min(best, time.perf_counter() - start)
    return best


def draw(points: list[Point], fastest: float, file: Path) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for recipe, arithmetic in dict.fromkeys((each.recipe, each.arithmetic) for each in points):
        chosen = [each for each in points if (each.recipe, each.arithmetic) == (recipe, arithmetic)]
        times = [point.seconds / fastest for point in chosen]
        shares = [100 * point.right / point.pictures for point in chosen]
        axes.plot(times, shares, marker="o", label=f"{recipe}, {arithmetic}")
        for point, x, y in zip(chosen, times, shares, strict=True):
            axes.annotate(str(point.size), (x, y), textcoords="offset points", xytext=(4, 4))
    axes.set(xlabel="time of the network, × the fastest", ylabel="right on validation (%)")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(file)


if __name__ == "__main__":
    main()
