"""A picture that breaks after the table was checked ends the work, and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pawsight
from pawsight.data.duplicates import hash_files
from pawsight.data.pictures import load_pictures
from pawsight.evaluation.evaluate import evaluate
from pawsight.images.errors import NotAnImage
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Model
from pawsight.training.features import Look, extract
from tests.drawn import draw

STAGES: dict[str, Callable[[Model, list[str]], object]] = {
    "training": lambda _, paths: load_pictures(paths, Preprocessing(height=32, width=32)),
    "comparing": lambda _, paths: hash_files(paths),
    "looking": lambda model, paths: [extract([Look(each)], paths) for each in networks(model)],
    "calibrating": lambda model, paths: [each.logits(paths) for each in networks(model)],
    "measuring": lambda model, paths: evaluate(model, paths, ["cat"] * len(paths), data="x"),
}


def networks(model: Model) -> list[Classifier]:
    return [each for each in model.members if isinstance(each, Classifier)]


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_named(trained: Path, tmp_path: Path, stage: str) -> None:
    paths = [str(tmp_path / f"{number}.png") for number in range(3)]
    for number, path in enumerate(paths):
        draw("cat", number).save(path)
    Path(paths[1]).write_text("no picture any more")
    with pytest.raises(NotAnImage, match=r"1\.png': not an image"):
        STAGES[stage](pawsight.load(str(trained)), paths)
