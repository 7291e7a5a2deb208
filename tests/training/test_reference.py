"""The reference that trainings leave in a model folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pawsight.drift.reference import read_reference
from pawsight.inference.artifact import REFERENCE_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.training.calibrate import calibrate
from tests.drawn import drawn_table


def test_there_is_one_where_validation_pictures_are_enough(
    model_copy: Path, tmp_path: Path
) -> None:
    table = drawn_table(tmp_path / "pictures", 130, ("cat", "dog", "neither"))
    few = calibrate(ModelFolder.open(model_copy), table)
    assert REFERENCE_FILE not in few.card.files
    validating = table["split"].where(table["split"] != "train", "validation")
    folder = calibrate(few, table.assign(split=validating))
    reference = read_reference(folder)
    assert reference
    assert REFERENCE_FILE in folder.card.files
    assert len(reference.logits) >= 100
    known = table.loc[(validating == "validation") & (table["label"] != "neither"), "path"]
    said = Classifier(folder).logits(known.tolist())
    of_them = [np.isclose(said, row, atol=1e-4).all(axis=1).any() for row in reference.logits]
    assert all(of_them)  # and none of neither
    assert REFERENCE_FILE not in calibrate(folder, table).card.files  # of the pictures it was then
