"""Give a model folder the reference that drift is seen by.

    python scripts/reference.py MODEL TABLE DATA

MODEL is a model folder, such as `src/pawsight/weights/pretrained`; TABLE is the `training.csv` that
`scripts/tables.py` writes, whose paths start from DATA. Only rows of its validation split are used.
`pawsight train` and `pawsight export` write it by themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from pawsight.inference.artifact import REFERENCE_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.training.calibrate import first_alike
from pawsight.training.folder import write_card
from pawsight.training.reference import with_reference


def main(model: Path, table: Path, data: Path) -> None:
    folder = ModelFolder.open(model)
    rows = pd.read_csv(table, dtype=str)
    rows = rows.loc[(rows["split"] == "validation") & rows["label"].isin(folder.card.labels)]
    paths = [str(data / path) for path in rows["path"]]
    outputs = Classifier(folder).outputs(paths)
    files = with_reference(folder, outputs, first_alike(paths))
    folder = write_card(folder.path, folder.card.model_copy(update={"files": files}))
    size = (folder.path / REFERENCE_FILE).stat().st_size
    print(f"{folder.path / REFERENCE_FILE}: {size / 1e3:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
