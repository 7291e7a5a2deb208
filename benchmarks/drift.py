"""When does the service notice that other pictures come in, and how often does it cry wolf?

    python benchmarks/drift.py TABLE DATA [--model custom] [--pictures 4000] [--altered 400]

TABLE is the `training.csv` that `scripts/tables.py` writes, whose paths start from DATA. No picture
that the network was trained on is used. Prints

- how many windows are called drifted where nothing has changed: with references that are drawn anew
  (which is what the level promises), and with the one that the model's folder carries;
- how many are noticed where a part of a window, or all of it, is altered;
- what watching costs, as a part of what the network takes.

Windows have 200 pictures. Those of one row are drawn from the same pictures, so that a rate is
known less exactly than its count of windows suggests.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from pawsight.drift.comparison import Decision, WindowComparison, compare
from pawsight.drift.monitor import LEVEL, WINDOW, Monitor
from pawsight.drift.reference import FEWEST, Reference, read_reference
from pawsight.inference.catalog import load_network, resolve
from pawsight.inference.classifier import Classifier
from pawsight.inference.network import Outputs
from pawsight.labels import NEITHER

LEVELS = (0.05, 0.01, LEVEL)
PARTS = (0.1, 0.25, 0.5, 1.0)
WINDOWS = 300  # for each row
REFERENCE = 1650  # pictures that a reference is made of

Alter = Callable[[Image.Image], Image.Image]


def darkened(part: float) -> Alter:
    def alter(picture: Image.Image) -> Image.Image:
        return picture.point(lambda value: int(value * part))

    return alter


def squashed(picture: Image.Image) -> Image.Image:
    """Half as wide, between black bars."""
    width, height = picture.size
    whole = Image.new("RGB", (2 * width, height))
    whole.paste(picture, (width // 2, 0))
    return whole


def shrunk(picture: Image.Image) -> Image.Image:
    """A thumbnail, 64 pixels at its longer side."""
    small = picture.copy()
    small.thumbnail((64, 64))
    return small


ALTERED: dict[str, Alter] = {
    "half as bright": darkened(0.5),
    "a quarter as bright": darkened(0.25),
    "squashed to half the width": squashed,
    "thumbnails of 64 pixels": shrunk,
}


def altered(paths: Sequence[str], alter: Alter) -> Iterator[NDArray[np.uint8]]:
    for path in paths:
        with Image.open(path) as picture:
            yield np.asarray(alter(picture.convert("RGB")))


@dataclass(frozen=True)
class Simulation:
    """Windows that are drawn, of one network."""

    decision: Decision
    random: np.random.Generator

    def windows(
        self, reference: Reference, usual: Outputs, other: Outputs | None = None, part: float = 0.0
    ) -> Iterator[WindowComparison]:
        """Compare windows, a part of which is of the other pictures."""
        for _ in range(WINDOWS):
            count = round(part * WINDOW)
            window = self._drawn(usual, WINDOW - count)
            if other is not None:
                window = joined(window, self._drawn(other, count))
            yield self.compare(reference, window, LEVEL)

    def compare(self, reference: Reference, window: Outputs, level: float) -> WindowComparison:
        return compare(reference, self.decision, window.features, window.logits, level)

    def _drawn(self, pool: Outputs, count: int) -> Outputs:
        return taken(pool, self.random.choice(len(pool.logits), count, replace=False))

    def false_alarms(self, pool: Outputs, references: int) -> dict[str, NDArray[np.float64]]:
        """The p-values of each test, with references and disjoint windows that are drawn anew."""
        found: dict[str, list[float]] = {"features": [], "confidences": [], "labels": []}
        made = min(REFERENCE, len(pool.logits) - 4 * WINDOW)
        for seed in range(references):
            order = self.random.permutation(len(pool.logits))
            own = taken(pool, order[:made])
            reference = Reference.of(own.features, own.logits, seed)
            if reference is None:
                raise SystemExit(f"a reference takes {FEWEST} pictures")
            for start in range(made, len(order) - WINDOW, WINDOW):
                window = taken(pool, order[start : start + WINDOW])
                compared = self.compare(reference, window, LEVEL)
                found["features"].append(compared.features.p)
                found["confidences"].append(compared.confidences.p)
                found["labels"].append(compared.labels.p)
        return {name: np.array(values) for name, values in found.items()}


def taken(pool: Outputs, rows: NDArray[np.intp]) -> Outputs:
    return Outputs(pool.logits[rows], pool.features[rows])


def joined(first: Outputs, second: Outputs) -> Outputs:
    return Outputs(*(np.concatenate(each) for each in zip(first, second, strict=True)))


def noticed(windows: Iterator[WindowComparison]) -> str:
    rows = [(each.drifted, each.features.differs, each.confidences.differs, each.labels.differs)
            for each in windows]  # fmt: skip
    return "".join(f"{share:>13.1%}" for share in np.mean(rows, axis=0))


def cost(network: Classifier, reference: Reference, decision: Decision, pool: Outputs) -> float:
    """What watching takes of what the network takes, both in this process, one after the other."""
    how = network.card.preprocessing
    batch = np.zeros((1, 3, how.height, how.width), dtype=np.float32)
    network.run(batch)
    start = time.perf_counter()
    for _ in range(50):
        network.run(batch)
    alone = (time.perf_counter() - start) / 50
    monitor = Monitor(reference, decision, lambda _: None)
    start = time.perf_counter()
    for features, logits in zip(pool.features, pool.logits, strict=True):
        monitor.add(features, logits)
    return (time.perf_counter() - start) / len(pool.logits) / alone


def main() -> None:
    parser = argparse.ArgumentParser(description="Drift: noticed when, and cried when not.")
    parser.add_argument("table", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="custom")
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--altered", type=int, default=400)
    parser.add_argument("--references", type=int, default=200)
    given = parser.parse_args()

    network = load_network(given.model)
    card = network.card
    decision = Decision(card.labels, card.temperature, network.threshold)
    simulation = Simulation(decision, np.random.default_rng(0))
    rows = pd.read_csv(given.table, dtype=str)
    rows["path"] = [str(given.data / path) for path in rows["path"]]
    rows = rows.loc[rows["split"] != "train"].sample(frac=1, random_state=0)
    classes = rows.loc[rows["label"] != NEITHER].head(given.pictures)
    test = classes.loc[classes["split"] == "test"]
    pool = network.outputs(classes["path"].tolist())
    is_test = (classes["split"] == "test").to_numpy()
    usual = taken(pool, np.flatnonzero(is_test))
    print(f"{card.name} {network.reference.version} in {network.precision}, windows of {WINDOW}")

    found = simulation.false_alarms(pool, given.references)
    lowest = 3 * np.minimum.reduce(list(found.values()))
    print(f"\nnothing has changed, {len(lowest)} windows, {given.references} references drawn anew")
    print(f"{'level':<38}{'drifted':>13}" + "".join(f"{name:>13}" for name in found))
    for level in LEVELS:
        shares = [np.mean(lowest < level), *(np.mean(3 * each < level) for each in found.values())]
        print(f"{level:<38}" + "".join(f"{share:>13.2%}" for share in shares))

    reference = read_reference(resolve(given.model).open())
    if reference is None:
        raise SystemExit("the folder carries no reference: scripts/reference.py gives it one")
    print(f"\nthe folder's own reference, level {LEVEL}, {WINDOWS} windows for each row")
    print(f"{'':<38}{'drifted':>13}{'features':>13}{'confidences':>13}{'labels':>13}")
    print(f"{'test pictures as they are':<38}" + noticed(simulation.windows(reference, usual)))
    some = test["path"].tolist()[: given.altered]
    others = {name: network.outputs(altered(some, alter)) for name, alter in ALTERED.items()}
    neither = rows.loc[rows["label"] == NEITHER]
    others["other animals, and objects"] = network.outputs(neither["path"].tolist())
    alike = Classifier(network.folder, precision="float32").outputs(some)
    others["as they are, computed in float32"] = alike
    dogs = (test["label"] == "dog").to_numpy()
    others["dogs alone"] = taken(usual, np.flatnonzero(dogs))
    for name, other in others.items():
        for part in PARTS:
            told = noticed(simulation.windows(reference, usual, other, part))
            print(f"{f'{part:.0%} {name}':<38}" + told)
    share = cost(network, reference, decision, pool)
    print(f"\nwatching takes {share:.2%} of what the network takes for a picture alone")


if __name__ == "__main__":
    main()
