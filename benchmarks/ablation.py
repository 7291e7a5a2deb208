"""What each ingredient of a recipe gives, as a table.

    python benchmarks/ablation.py TABLE IMAGES [--results FILE.jsonl] [--recipe FILE]
        [--seeds 0 1 2] [--only NAME …] [--doubts FILE.csv]

TABLE is the training.csv of scripts/tables.py. Every row trains the recipe with one thing changed,
once a seed, and is measured on the validation split; the test splits are not looked at. Each
result is kept in FILE.jsonl (by default the one beside this) as it comes, so that a run that was
stopped goes on. With `--seeds` alone it only prints the table of what there is; a seed is compared
with that seed of the recipe as it is. With the CSV of `pawsight audit --labels TABLE --images
IMAGES --output FILE.csv` there is one row more: trained without the pictures that it doubts.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from pawsight.data.splits import split_table
from pawsight.data.table import read_table
from pawsight.training.fit import fit
from pawsight.training.recipe import Recipe, load_recipe
from pawsight.training.run import RunFolder
from pawsight.training.search_space import changed

RESULTS = Path(__file__).with_suffix(".jsonl")

AS_IT_IS = "the recipe as it is"
PLAIN = "the plain network"
WITHOUT_DOUBTS = "without the labels that the audit doubts"

CHANGES: dict[str, dict[str, Any]] = {
    AS_IT_IS: {},
    "not mirrored": {"augmentation.flip": 0.0},
    "no crops": {"augmentation.min_area": 1.0, "augmentation.max_aspect": 1.0},
    "crops of one shape": {"augmentation.max_aspect": 1.0},
    "crops from a third on, of 1:2 to 2:1": {
        "augmentation.min_area": 0.35,
        "augmentation.max_aspect": 2.0,
    },
    "no change of colour": {
        "augmentation.brightness": 0.0,
        "augmentation.contrast": 0.0,
        "augmentation.saturation": 0.0,
    },
    "erasing": {"augmentation.erase": 0.25},
    "mixup": {"augmentation.mixup": 0.2},
    "CutMix": {"augmentation.cutmix": 1.0},
    "pooled before the norm, in training": {"network.pool_first": True},
    "no averaged weights": {"ema_decay": 0.0},
    "no label smoothing": {"label_smoothing": 0.0},
    "no warm-up": {"warmup": 0.0},
    "AdamW in place of Muon": {
        "optimizer": "adamw",
        "learning_rate": 4e-3,
        "weight_decay": 0.05,
    },
    "SGD with Nesterov's momentum in place of Muon": {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 1e-3,
    },
    "96 pixels to the end": {"training_sizes": [[0, 96]]},
    "128 pixels from the start": {"training_sizes": [[0, 128]]},
    "a teacher (EfficientNet-Lite2)": {
        "views": 3,
        "distillation": [
            {"teacher": "efficientnet-lite2", "image_size": 128, "weight": 0.5, "temperature": 2.0}
        ],
    },
    "half the width": {"network.stem_width": 16, "network.widths": [32, 64, 128]},
    "1.5 times the width": {"network.stem_width": 48, "network.widths": [96, 192, 384]},
    WITHOUT_DOUBTS: {},
    # What a first tutorial builds: three blocks without residuals, Adam at 1e-3, whole pictures at
    # 256×256, nothing of the above.
    PLAIN: {
        "network.stem_width": 16,
        "network.widths": [32, 64, 128],
        "network.residuals": [0, 0, 0],
        "augmentation": None,
        "training_sizes": [],
        "image_size": 256,
        "cache_size": 256,
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "warmup": 0.0,
        "label_smoothing": 0.0,
        "ema_decay": 0.0,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--recipe", default=str(Path(__file__).with_suffix(".toml")))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--doubts", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    recipe = load_recipe(arguments.recipe, epochs=arguments.epochs)
    names = [each for each in arguments.only if each != WITHOUT_DOUBTS or arguments.doubts]
    done = read(arguments.results)
    if arguments.seeds:
        table = split_table(read_table(arguments.table, arguments.images).frame).frame
        for seed in arguments.seeds:
            for name in names:
                if (name, seed) not in {(each["name"], each["seed"]) for each in done}:
                    rows = without(table, arguments.doubts) if name == WITHOUT_DOUBTS else table
                    result = train(rows, changed(recipe, CHANGES[name] | {"seed": seed}), name)
                    done.append(result)
                    with arguments.results.open("a", encoding="utf-8") as stream:
                        stream.write(json.dumps(result) + "\n")
    print(as_table(done))


def read(results: Path) -> list[dict[str, Any]]:
    if not results.is_file():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def without(table: pd.DataFrame, doubts: Path) -> pd.DataFrame:
    """The table without the training pictures whose labels are doubted."""
    doubted = table["path"].isin(pd.read_csv(doubts)["path"]) & (table["split"] == "train")
    if not doubted.any():
        raise SystemExit(f"{doubts} doubts none of the training pictures: is it of another table?")
    rest: pd.DataFrame = table.loc[~doubted]
    return rest


def train(table: pd.DataFrame, recipe: Recipe, name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        classifier = fit(table, recipe, run)
    reached = classifier.trainer.callback_metrics
    result = {
        "name": name,
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "accuracy": float(reached["val_accuracy"]),
        "loss": float(reached["val_loss"]),
    }
    print(json.dumps(result), file=sys.stderr, flush=True)
    return result


def as_table(results: list[dict[str, Any]]) -> str:
    """Markdown: accuracy after the last epoch, and the difference from the recipe as it is."""
    reached = {(each["name"], each["seed"]): each["accuracy"] * 100 for each in results}
    lines = [
        "| what is changed | right on validation, % | difference, points | seeds |",
        "|---|---|---|---|",
    ]
    for name in CHANGES:
        by_seed = {seed: value for (row, seed), value in reached.items() if row == name}
        differences = [
            value - reached[AS_IT_IS, seed]
            for seed, value in by_seed.items()
            if name != AS_IT_IS and (AS_IT_IS, seed) in reached
        ]
        if by_seed:
            cells = [name, _mean(by_seed.values(), ".2f"), _mean(differences, "+.2f")]
            lines.append(f"| {' | '.join(cells)} | {len(by_seed)} |")
    return "\n".join(lines)


def _mean(values: Iterable[float], form: str) -> str:
    """The mean and, of several, how far they spread."""
    values = list(values)
    if not values:
        return ""
    mean = format(statistics.mean(values), form)
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


if __name__ == "__main__":
    main()
