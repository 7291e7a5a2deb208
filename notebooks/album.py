"""The pictures that the notebooks look at: real ones where there are, else drawn ones.

`PAWSIGHT_DATA` names the folder of real ones (by default ../shared/data beside the repository);
`PAWSIGHT_NOTEBOOK_PICTURES` how many of them are looked at, of each kind and label.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pandas as pd
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
SMALL = int(os.environ.get("PAWSIGHT_NOTEBOOK_PICTURES", "300"))


def pictures(each: int = SMALL) -> tuple[pd.DataFrame, bool]:
    """A table of ``path``, ``label`` (cat, dog, neither), ``split`` and ``kind``.

    Args:
        each: Rows of each kind and label, at most, drawn by lot.

    Returns:
        The table, and whether its pictures are photographs.
    """
    data = Path(os.environ.get("PAWSIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        return drawn(each), False
    import sys

    sys.path.insert(0, str(ROOT))
    from scripts import tables

    with tempfile.TemporaryDirectory() as folder:
        tables.main(data, Path(folder))
        table = pd.read_csv(Path(folder) / "training.csv")
    table["path"] = [str(data / path) for path in table["path"]]
    chosen = table.groupby(["kind", "label"], group_keys=False)[table.columns.tolist()]
    return chosen.apply(lambda rows: rows.sample(min(each, len(rows)), random_state=0)).reset_index(
        drop=True
    ), True


def drawn(each: int) -> pd.DataFrame:
    """Cats have pointed ears, dogs hanging ones; neither has none."""
    folder = Path(tempfile.mkdtemp(prefix="pawsight-drawn-"))
    rows = []
    for label in ("cat", "dog", "neither"):
        for number in range(min(each, 60)):
            path = folder / f"{label}.{number}.png"
            draw(label, number).save(path)
            split = ("train", "train", "train", "validation", "test")[number % 5]
            rows.append((str(path), label, split, "drawn"))
    return pd.DataFrame(rows, columns=["path", "label", "split", "kind"])


def draw(label: str, seed: int) -> Image.Image:
    """One drawing, of a shape and colours that the seed decides."""
    chance = random.Random(f"{label} {seed}")
    width, height = chance.randint(90, 160), chance.randint(90, 160)
    tone = lambda: tuple(chance.randint(0, 255) for _ in range(3))
    picture = Image.new("RGB", (width, height), tone())
    pen, fur = ImageDraw.Draw(picture), tone()
    pen.ellipse((width * 0.25, height * 0.35, width * 0.75, height * 0.9), fill=fur)
    if label != "neither":
        for left in (0.25, 0.6):
            x, top = width * left, height * (0.15 if label == "cat" else 0.45)
            low = height * (0.5 if label == "cat" else 0.8)
            if label == "cat":
                pen.polygon([(x, low), (x + width * 0.15, low), (x + width * 0.07, top)], fill=fur)
            else:
                pen.ellipse((x - width * 0.05, top, x + width * 0.15, low), fill=fur)
    return picture
