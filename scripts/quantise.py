"""Quantise an embedded model anew, by the present code, and choose its thresholds for that.

    python scripts/quantise.py MODEL TABLE DATA

MODEL is a model folder, such as `src/pawsight/weights/custom`; TABLE is the `training.csv` that
`scripts/tables.py` writes, whose paths start from DATA. The float32 network stays as it is. The
figures on the test tables go out of the card, until `pawsight evaluate --record` measures them; a
cascade that asks the model needs `pawsight cascade` again. `pawsight train` and `pawsight export`
quantise by themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pawsight.data.splits import split_table
from pawsight.data.table import read_table
from pawsight.inference.artifact import QUANTISED_FILE, ModelFolder
from pawsight.training.calibrate import calibrate
from pawsight.training.folder import digests, write_card
from pawsight.training.quantise import calibration_pictures, quantise


def main(model: Path, table: Path, data: Path) -> None:
    rows = split_table(read_table(table, data).frame).frame  # as `pawsight train` takes it
    card = ModelFolder.open(model).card
    how, seed = card.preprocessing, card.provenance.seed or 0
    examples = calibration_pictures(rows.loc[rows["split"] == "train"], how, seed)
    quantised = quantise(model, examples, card.labels, how)
    files = card.files | digests(model, [QUANTISED_FILE])
    folder = write_card(model, card.model_copy(update={"quantised": quantised, "files": files}))
    for measured in calibrate(folder, rows).card.metrics:
        print(measured)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
