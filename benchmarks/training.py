"""What training waits for: decoding, augmentation, or the network.

    python benchmarks/training.py LABELS [IMAGES] [--recipe NAME]

Loads up to 2,000 training pictures as `pawsight train` does, takes steps as it does, and prints
each part's share of a step, and which part of the whole training decoding takes (every picture
once).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from pawsight.cpus import usable_cpus
from pawsight.data.augment import NO_AUGMENTATION, augment
from pawsight.data.pictures import load_pictures
from pawsight.data.table import read_table
from pawsight.images.preprocess import Preprocessing
from pawsight.models.losses import open_set_cross_entropy
from pawsight.training.fit import faster_precision
from pawsight.training.networks import build_network
from pawsight.training.recipe import load_recipe

STEPS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("images", type=Path, nargs="?")
    parser.add_argument("--recipe", default="simple-cnn")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe)
    torch.set_num_threads(usable_cpus())
    paths = read_table(arguments.labels, arguments.images, check_images=False).frame["path"][:2000]

    start = time.perf_counter()
    side = recipe.cache_size
    pixels = torch.from_numpy(load_pictures(list(paths), Preprocessing(height=side, width=side)))
    decoding = (time.perf_counter() - start) / len(paths)

    network = build_network(recipe, 2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    size = recipe.training_sizes[0][1] if recipe.training_sizes else recipe.image_size
    bfloat16 = faster_precision(network, size, recipe.batch_size) == "bf16-mixed"
    generator = torch.Generator().manual_seed(0)
    augmenting = learning = 0.0
    for _ in range(STEPS):
        chosen = torch.randint(len(pixels), (recipe.batch_size,), generator=generator)
        start = time.perf_counter()
        pictures = augment(pixels[chosen], size, recipe.augmentation or NO_AUGMENTATION, generator)
        middle = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = network(pictures)
        open_set_cross_entropy(logits.float(), chosen % 2).backward()  # type: ignore[no-untyped-call]
        network.zero_grad()
        augmenting += middle - start
        learning += time.perf_counter() - middle
    step = (augmenting + learning) / STEPS
    print(
        f"augmentation: {augmenting / STEPS / step:.0%} of a step, "
        f"network: {learning / STEPS / step:.0%}"
    )
    whole = decoding / (decoding + recipe.epochs * step / recipe.batch_size)
    print(f"decoding, once: {whole:.1%} of a training of {recipe.epochs} epochs")


if __name__ == "__main__":
    main()
