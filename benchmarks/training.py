"""What training waits for, and what is done so that it waits less.

    python benchmarks/training.py LABELS [IMAGES] [--recipe NAME]

Loads up to 2,000 training pictures as `pawsight train` does, takes steps as it does, and prints
each part's share of a step, and which part of the whole training decoding takes (every picture
once). Then it takes steps without what makes them fast, in turn with steps as they are: with crops
made by torch, with the gradients of small maps' weights made map by map, and, in processes of their
own, with memory that is handed back to the system.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch

from pawsight.cli.memory import KEPT, SETTINGS, keep_memory
from pawsight.cpus import usable_cpus
from pawsight.data import crops
from pawsight.data.augment import NO_AUGMENTATION, augment
from pawsight.data.pictures import load_pictures
from pawsight.data.table import read_table
from pawsight.images.preprocess import Preprocessing
from pawsight.models import convolution
from pawsight.models.lightning_module import CatDogClassifier
from pawsight.models.losses import open_set_cross_entropy
from pawsight.models.optimizers import build_optimizer
from pawsight.training.fit import faster_precision
from pawsight.training.networks import build_network
from pawsight.training.recipe import Recipe, load_recipe

STEPS = 8
ROUNDS = 5


class Training:
    """Steps of a training, of pictures that wait in memory.

    Args:
        recipe: Of the training.
        pixels: uint8 [N, H, W, 3].
    """

    def __init__(self, recipe: Recipe, pixels: torch.Tensor) -> None:
        self.recipe = recipe
        self.pixels = pixels
        self.size = recipe.training_sizes[0][1] if recipe.training_sizes else recipe.image_size
        network = build_network(recipe, 2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.precision = (
            faster_precision(network, self.size, recipe.batch_size)
            if recipe.precision == "auto"
            else recipe.precision
        )
        self.bfloat16 = self.precision == "bf16-mixed"
        classifier = CatDogClassifier(network, optimizer=recipe.optimizer)
        self.optimizer = build_optimizer(
            recipe.optimizer,
            classifier._parameter_groups(),
            recipe.learning_rate,
            torch.bfloat16 if self.bfloat16 else torch.float32,
        )
        self.network = network
        self.generator = torch.Generator().manual_seed(0)

    def step(self) -> tuple[float, float, float]:
        """The seconds that augmentation, the network and the optimizer take."""
        recipe = self.recipe
        chosen = torch.randint(len(self.pixels), (recipe.batch_size,), generator=self.generator)
        times = [time.perf_counter()]
        how = recipe.augmentation or NO_AUGMENTATION
        pictures = augment(self.pixels, self.size, how, self.generator, rows=chosen)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        times.append(time.perf_counter())
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(pictures)
        open_set_cross_entropy(logits.float(), chosen % 2).backward()  # type: ignore[no-untyped-call]
        times.append(time.perf_counter())
        self.optimizer.step()
        self.optimizer.zero_grad()
        times.append(time.perf_counter())
        first, second, third, fourth = times
        return second - first, third - second, fourth - third

    def seconds(self) -> float:
        """Of some steps."""
        return sum(sum(self.step()) for _ in range(STEPS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("images", type=Path, nargs="?")
    parser.add_argument("--recipe", default="simple-cnn")
    parser.add_argument("--seconds-in", choices=["bf16-mixed", "32-true"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    keep_memory()
    recipe = load_recipe(arguments.recipe)
    torch.set_num_threads(usable_cpus())
    side = recipe.cache_size
    if precision := arguments.seconds_in:
        pixels = torch.zeros(512, side, side, 3, dtype=torch.uint8)
        training = Training(recipe.model_copy(update={"precision": precision}), pixels)
        training.seconds()
        print(min(training.seconds() for _ in range(ROUNDS)))
        return
    paths = read_table(arguments.labels, arguments.images, check_images=False).frame["path"][:2000]
    start = time.perf_counter()
    pixels = torch.from_numpy(load_pictures(list(paths), Preprocessing(height=side, width=side)))
    decoding = (time.perf_counter() - start) / len(paths)
    training = Training(recipe, pixels)
    training.step()
    parts = [sum(part) for part in zip(*(training.step() for _ in range(STEPS)), strict=True)]
    for name, part in zip(("augmentation", "network", "optimizer"), parts, strict=True):
        print(f"{name}: {part / sum(parts):.0%} of a step")
    whole = decoding / (decoding + recipe.epochs * sum(parts) / STEPS / recipe.batch_size)
    print(f"decoding, once: {whole:.1%} of a training of {recipe.epochs} epochs")

    def cropped_by_torch() -> float:
        with patch.object(crops, "_proved", lambda: None):
            return training.seconds()

    told("crops by torch", cropped_by_torch, training.seconds)

    def map_by_map() -> float:
        with patch.object(convolution, "_LAID_OUT", ()):
            return training.seconds()

    told("gradients map by map", map_by_map, training.seconds)

    def apart(settings: str) -> float:
        command = [sys.executable, *sys.argv, "--seconds-in", training.precision]
        environment = os.environ | {SETTINGS: settings}
        said = subprocess.run(command, env=environment, capture_output=True, check=True)
        return float(said.stdout)

    told("memory handed back", lambda: apart(""), lambda: apart(KEPT))


def told(change: str, without: Callable[[], float], as_it_is: Callable[[], float]) -> None:
    """Print how many times as long steps take without something."""
    ratios = [without() / as_it_is() for _ in range(ROUNDS)]
    print(
        f"{change}: {statistics.median(ratios):.2f} × the time of a step "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
