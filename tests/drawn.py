"""Labelled pictures that are drawn: easy enough to be learned in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

COLOURS = {"cat": (200, 60, 40), "dog": (40, 80, 200), "neither": (90, 160, 90)}


def draw(label: str, seed: int, size: tuple[int, int] = (72, 60)) -> Image.Image:
    """A blot in the label's colour on a noisy ground."""
    random = np.random.default_rng([seed, len(label), ord(label[0])])
    noise = random.integers(60, 200, (size[1] // 6, size[0] // 6, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize(size, Image.Resampling.NEAREST)
    x, y = random.integers(15, 45, 2)
    colour = COLOURS.get(label, (int(random.integers(256)), 200, 200))
    ImageDraw.Draw(picture).ellipse((x - 14, y - 14, x + 18, y + 14), fill=colour)
    return picture


def drawn_table(
    folder: Path, per_class: int = 24, labels: Sequence[str] = ("cat", "dog")
) -> pd.DataFrame:
    """Save pictures as ``folder/<label>_<n>.png``: a table of them with a split."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for label in labels:
        for number in range(per_class):
            file = folder / f"{label}_{number}.png"
            draw(label, number).save(file)
            split = {0: "test", 1: "validation"}.get(number % 4, "train")
            rows.append((str(file), label, split))
    table: pd.DataFrame = pd.DataFrame(rows, columns=["path", "label", "split"])
    return table
