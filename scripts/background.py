"""Give an embedded model the background features that new heads learn `neither` from.

    python scripts/background.py MODEL TABLE DATA

MODEL is a model folder, such as `src/pawsight/weights/pretrained`; TABLE is the `training.csv` that
`scripts/tables.py` writes, whose paths start from DATA. Only rows of the training split are used:
of `neither`, and some of the model's classes. `pawsight train` gives the folders that it makes a
background by itself, of their own table.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from pawsight.inference.artifact import BACKGROUND_FILE, ModelFolder
from pawsight.training.background import add_background
from pawsight.training.folder import write_card


def main(model: Path, table: Path, data: Path) -> None:
    rows = pd.read_csv(table, dtype=str)
    rows["path"] = [str(data / path) for path in rows["path"]]
    folder = add_background(ModelFolder.open(model), rows)
    write_card(folder.path, folder.card)
    size = (folder.path / BACKGROUND_FILE).stat().st_size
    print(f"{folder.path / BACKGROUND_FILE}: {size / 1e3:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
