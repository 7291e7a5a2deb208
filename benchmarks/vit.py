"""What the choices of the recipe vit-small do to the time of a training step, as ratios.

    python benchmarks/vit.py

Times a step of a ViT-S/14 from random weights (the time does not depend on them): at 168 pixels
against 112, with the lowest three layers frozen against none, with torch's fused attention against
plain products. With the teacher's packages installed (docs/training.md), also the teacher's pass on
ONNX Runtime against the same in torch.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import torch

from pawsight.cpus import usable_cpus
from pawsight.models.vision_transformer import VisionTransformer

BATCH = 32
ROUNDS = 4


def main() -> None:
    torch.set_num_threads(usable_cpus())
    plain = step(VisionTransformer(), 112)
    fused = VisionTransformer()
    fused.backbone.set_attn_implementation("sdpa")
    compare("168 pixels against 112", step(VisionTransformer(), 168), plain)
    compare(
        "three layers frozen against none", step(VisionTransformer(frozen_layers=3), 112), plain
    )
    compare("fused attention against plain products", step(fused, 112), plain)
    if importlib.util.find_spec("efficientnet_lite_pytorch"):
        compare("the teacher on ONNX Runtime against torch", *teacher())
    else:
        print("the teacher's packages are not installed")


def compare(title: str, one: Callable[[], object], other: Callable[[], object]) -> None:
    """Print the ratio of two times, each the shortest of alternating rounds."""
    shortest = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, work in enumerate((one, other)):
            start = time.perf_counter()
            work()
            shortest[place] = min(shortest[place], time.perf_counter() - start)
    print(f"{title}: {shortest[0] / shortest[1]:.2f} ×", flush=True)


def step(network: VisionTransformer, size: int) -> Callable[[], None]:
    """Forward and backward of one batch in bfloat16."""
    pictures = torch.randn(BATCH, 3, size, size)

    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(pictures).float().square().mean()
        loss.backward()
        network.zero_grad()

    return run


def teacher() -> tuple[Callable[[], object], Callable[[], object]]:
    """The teacher's pass over one batch: as it is used, and in torch."""
    from efficientnet_lite_pytorch import EfficientNet

    from pawsight.training.teachers import ImageNetTeacher

    pictures = torch.randn(BATCH, 3, 160, 160)
    used, network = (
        ImageNetTeacher("efficientnet-lite2", 160),
        EfficientNet.from_name("efficientnet-lite2").eval(),
    )

    def in_torch() -> object:
        with torch.inference_mode():
            return network(pictures)

    return lambda: used(pictures), in_torch


if __name__ == "__main__":
    main()
