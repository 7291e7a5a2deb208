"""Accuracy against time by the height and width at which a SimpleCNN is served.

    python benchmarks/input_size.py RUN … [--sizes 160 192 224 256] [--crops 1 0.875]
        [--plot sizes.svg]

RUN is the `training` folder of a model folder, with its pictures still where they were. Its network
is exported at each size, in float32 and in int8, and asked about the validation split of its table,
of which it is shown the middle: each part of both sides. Runs that are to be compared have the same
split. Beside what is right stand the loss, at the temperature that makes it least, and how well the
energy tells what is neither. Times are those of the network alone on one picture, relative to the
fastest.
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
from sklearn.metrics import roc_auc_score

from pawsight.cpus import usable_cpus
from pawsight.data.pictures import load_pictures
from pawsight.evaluation.metrics import fit_temperature, wilson_interval
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.inference.artifact import NETWORK_FILE, QUANTISED_FILE
from pawsight.inference.prediction import energy, softmax
from pawsight.labels import NEITHER, classes_of
from pawsight.training.export import write_onnx
from pawsight.training.networks import load_weights, random_network
from pawsight.training.quantise import calibration_pictures, quantise
from pawsight.training.run import RunFolder

BATCH = 32
ROUNDS = 30


@dataclass(frozen=True)
class Point:
    """What a network gives at a size, shown a part of each side, in an arithmetic."""

    recipe: str
    size: int
    crop: float
    arithmetic: str
    right: int
    pictures: int
    loss: float
    auroc: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 192, 224, 256])
    parser.add_argument("--crops", type=float, nargs="+", default=[1.0])
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    points = [
        point
        for run in arguments.runs
        for crop in arguments.crops
        for size in arguments.sizes
        for point in measure(RunFolder(run), size, crop)
    ]
    fastest = min(point.seconds for point in points)
    print(
        "| recipe | pixels | of each side | arithmetic | right on validation | 95 % interval "
        "| loss | AUROC of neither | time |\n|---|---|---|---|---|---|---|---|---|"
    )
    for point in points:
        low, high = wilson_interval(point.right, point.pictures)
        print(
            f"| `{point.recipe}` | {point.size} | {point.crop:g} | {point.arithmetic} "
            f"| {point.right / point.pictures:.2%} | {low:.2%} to {high:.2%} "
            f"| {point.loss:.4f} | {point.auroc:.4f} | {point.seconds / fastest:.2f} × |"
        )
    if arguments.plot:
        draw(points, fastest, arguments.plot)


def measure(run: RunFolder, size: int, crop: float) -> list[Point]:
    recipe, table = run.read()
    labels = classes_of(table["label"])
    how = Preprocessing(height=size, width=size, crop_fraction=crop)
    network = random_network(recipe, len(labels))
    load_weights(network, run.best)
    asked = table[table["split"] == "validation"]
    pixels = load_pictures(asked["path"].tolist(), how)
    known = (asked["label"] != NEITHER).to_numpy()
    right = np.array([labels.index(label) for label in asked["label"][known]])
    points = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_onnx(network.eval(), how, folder / NETWORK_FILE)
        training = table[table["split"] == "train"]
        quantise(folder, calibration_pictures(training, how, recipe.seed), labels, how)
        for file, arithmetic in ((NETWORK_FILE, "float32"), (QUANTISED_FILE, "int8")):
            session = open_session(folder / file)
            logits = ask(session, pixels, how)
            correct = int((logits[known].argmax(axis=1) == right).sum())
            shares = softmax(logits[known], fit_temperature(logits[known], right))
            loss = -np.log(shares[np.arange(len(right)), right]).mean()
            auroc = roc_auc_score(known, energy(logits))
            seconds = shortest(session, size)
            points.append(
                Point(
                    recipe.name, size, crop, arithmetic, correct, len(right), loss, auroc, seconds
                )
            )
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
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    lines: dict[str, list[Point]] = {}
    for point in points:
        part = "" if point.crop == 1 else f", middle {point.crop:g}"
        lines.setdefault(f"{point.recipe}, {point.arithmetic}{part}", []).append(point)
    for label, chosen in lines.items():
        times = [point.seconds / fastest for point in chosen]
        shares = [100 * point.right / point.pictures for point in chosen]
        axes.plot(times, shares, marker="o", label=label)
        for point, x, y in zip(chosen, times, shares, strict=True):
            axes.annotate(str(point.size), (x, y), textcoords="offset points", xytext=(4, 4))
    axes.set(xlabel="time of the network, × the fastest", ylabel="right on validation (%)")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    figure.savefig(file)


if __name__ == "__main__":
    main()
