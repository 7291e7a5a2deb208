"""The time of the networks alone, as a part of that of a ViT-B/16 in eager torch, in one run.

    python benchmarks/networks.py [MODEL …]

MODEL is a name or the path of a folder (`custom` and `pretrained`). Every precision that a folder
has is timed, in ONNX Runtime and, where that is installed, in OpenVINO, on one picture and on
eight, with all processors that the process may use; rounds of all of them alternate, and the
shortest of each counts. The ViT-B/16 has random weights: its time does not depend on them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers import ViTConfig, ViTForImageClassification

from pawsight.cpus import usable_cpus
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import resolve
from pawsight.inference.classifier import Classifier
from pawsight.inference.runtimes import chosen_providers
from pawsight.inference.session import Precision

ROUNDS = 15
BATCHES = (1, 8)

Run = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", default=["custom", "pretrained"])
    arguments = parser.parse_args()
    torch.set_num_threads(usable_cpus())
    classifiers = [each for name in arguments.models for each in precisions(name)]
    print("| network | precision | run by | pixels | one picture | eight, each |")
    print("|---|---|---|---|---|---|")
    ratios = [part_of_vit(classifiers, batch) for batch in BATCHES]
    for classifier, *of_vit in zip(classifiers, *ratios, strict=True):
        cells = [
            classifier.reference.name,
            classifier.precision,
            classifier.provider,
            str(classifier.card.preprocessing.height),
            *(f"1/{1 / ratio:.0f}" for ratio in of_vit),
        ]
        print(f"| {' | '.join(cells)} |")


def precisions(name: str) -> list[Classifier]:
    """A model in every arithmetic that its folder has, by everything that runs it."""
    folder = ModelFolder.open(resolve(name).path)
    wanted: list[Precision] = ["float32", *(("int8",) if folder.card.quantised else ())]
    return [
        Classifier(folder, name=name, precision=each, provider=provider)
        for each in wanted
        for provider in chosen_providers()
    ]


def part_of_vit(classifiers: list[Classifier], batch: int) -> list[float]:
    """The shortest time of each, as a part of the ViT's on as many pictures."""
    runs = [vit(batch), *(asking(each, batch) for each in classifiers)]
    best = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for place, run in enumerate(runs):
            start = time.perf_counter()
            run()
            best[place] = min(best[place], time.perf_counter() - start)
    return [each / best[0] for each in best[1:]]


def vit(batch: int) -> Run:
    network = ViTForImageClassification(ViTConfig()).eval()  # type: ignore[no-untyped-call]
    pictures = torch.randn(batch, 3, 224, 224)

    def run() -> object:
        with torch.inference_mode():
            return network(pictures).logits

    return run


def asking(classifier: Classifier, batch: int) -> Run:
    how = classifier.card.preprocessing
    shape = (batch, 3, how.height, how.width)
    pictures = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return lambda: classifier.run(pictures)


if __name__ == "__main__":
    main()
