"""How long resizing takes, compiled, as a part of Pillow's time.

    python benchmarks/resizing.py

Pictures of noise, bilinear and bicubic, in one thread, in turns; the least of several times.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from PIL import Image

from pawsight.images.resample import is_compiled, resample

SIZES = ((500, 375), (375, 500), (1280, 960), (300, 300))
TURNS, TIMES = 30, 5


def main() -> None:
    if not is_compiled():
        raise SystemExit("nothing is compiled here: pip install . where there is a C compiler")
    print("| from | to | bilinear | bicubic |")
    print("|---|---|---|---|")
    for size in SIZES:
        parts = [
            f"{part(size, filter_):.2f}"
            for filter_ in (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
        ]
        print(f"| {size[0]}×{size[1]} | 224×224 | {' | '.join(parts)} |")


def part(size: tuple[int, int], filter_: Image.Resampling) -> float:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    image, wanted = Image.fromarray(noise), (224, 224)
    box = (0.0, 0.0, float(size[0]), float(size[1]))
    pillow, compiled = [], []
    for _ in range(TURNS):
        pillow.append(seconds(lambda: np.array(image.resize(wanted, filter_, box))))
        compiled.append(seconds(lambda: resample(image, wanted, filter_, box)))
    return min(compiled) / min(pillow)


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    for _ in range(TIMES):
        work()
    return perf_counter() - start


if __name__ == "__main__":
    main()
