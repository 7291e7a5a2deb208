"""A training that begins with the network of a model folder that has no training beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from pawsight.images.preprocess import Preprocessing, preprocess
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import load_network
from pawsight.models.cnn_model import SimpleCNN
from pawsight.training.fit import fit
from pawsight.training.networks import random_network
from pawsight.training.recipe import Recipe, SimpleCNNRecipe, ViTRecipe
from pawsight.training.run import RunError
from pawsight.training.starting_points import StartingPointError
from pawsight.training.train import begin, check_without_table
from pawsight.training.unfolded import Folded
from tests.drawn import draw, drawn_table
from tests.models.test_huggingface import make_checkpoint
from tests.pulling import pull
from tests.training.recipes import TINY

SHORT = TINY.model_copy(
    update={"epochs": 1, "learning_rate": 1e-9, "ema_decay": 0.0, "augmentation": None}
)


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A model that tells drawn cats and dogs apart, without its training."""
    return Path(
        shutil.copytree(trained, tmp_path / "model", ignore=shutil.ignore_patterns("training"))
    )


def drawings() -> torch.Tensor:
    how = Preprocessing(height=48, width=48)
    pixels = [preprocess(draw(label, seed), how) for label in ("cat", "dog") for seed in range(16)]
    return torch.stack([torch.from_numpy(each) for each in pixels])


def test_the_network_of_a_folder_is_read_back_with_norms_to_learn_by(model: Path) -> None:
    network = random_network(TINY, 2)
    assert isinstance(network, SimpleCNN)
    pictures = drawings()
    Folded.of(network, model / "model.onnx").fill(pictures)
    said = load_network(str(model)).run(pictures.numpy())
    with torch.inference_mode():
        for learning in (False, True):  # with what was measured, and what the batch has
            network.train(learning)
            logits = network(pictures).numpy()
            assert abs(logits - said.logits).max() < 0.01 * abs(said.logits).max()
        given = network.stem[0](pictures)
    assert given.var(dim=(0, 2, 3)).numpy() == pytest.approx(1.0, abs=1e-3)


def test_a_training_goes_on_from_a_model(model: Path, tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 16)
    classifier = fit(table, SHORT, run := begin(table, SHORT, tmp_path / "more", start=model))
    assert classifier.trainer.callback_metrics["val_accuracy"] == 1.0  # it has learned nothing new
    assert run.origin == f"drawn {ModelFolder.open(model).version} (random weights)"


@pytest.mark.parametrize("classes", [("cat", "cow", "dog"), ("lion", "wolf")])
@pytest.mark.parametrize("has_training", [True, False])
def test_of_other_classes_the_classifier_alone_begins_anew(
    model: Path, trained: Path, tmp_path: Path, classes: tuple[str, ...], *, has_training: bool
) -> None:
    table = drawn_table(tmp_path / "pictures", 8, classes)
    begin(table, SHORT, tmp_path / "more", start=trained if has_training else model)
    state = torch.load(tmp_path / "more" / "training" / "checkpoints" / "start.ckpt")["state_dict"]
    same = random_network(TINY, 2)
    assert isinstance(same, SimpleCNN)
    Folded.of(same, model / "model.onnx").fill(drawings())
    turned = state["network.stem.0.weight"].flatten(1)
    expected = same.state_dict()["stem.0.weight"].flatten(1)
    assert torch.cosine_similarity(turned, expected).min() > 0.999
    anew = random_network(TINY, len(classes))
    torch.testing.assert_close(state["network.classifier.weight"], anew.classifier.weight)
    keeping = SHORT.model_copy(update={"keep_start": 0.5})
    with pytest.raises(RunError, match=r"begins anew, as .* not cat, dog: leave keep_start out"):
        begin(table, keeping, tmp_path / "kept", start=model)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"widths": (8, 16, 24)}, "another architecture than the recipe's; the .network. of its"),
        ({"residuals": (1, 1, 1)}, "another architecture than the recipe's; the .network. of its"),
        ({"pool_first": True}, "leave pool_first out of a copy of the recipe"),
    ],
)
def test_a_recipe_of_another_network_is_refused_before_any_picture_is_looked_at(
    model: Path, trained: Path, tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    network = SimpleCNNRecipe.model_validate(TINY.network.model_dump() | changed)
    recipe: Recipe = TINY.model_copy(update={"network": network})
    with pytest.raises(StartingPointError, match=words):
        check_without_table(recipe, tmp_path / "more", start=model)
    with pytest.raises((RunError, StartingPointError), match=r"\[network\]|leave pool_first out"):
        check_without_table(recipe, tmp_path / "more", start=trained)


def test_a_vision_transformer_cannot_begin_with_a_simple_cnn(model: Path, tmp_path: Path) -> None:
    transformer = ViTRecipe(width=16, depth=2, heads=2, patch_size=8, position_size=48)
    recipe: Recipe = TINY.model_copy(update={"network": transformer})
    words = r"holds a network of another architecture than the recipe's; the \[network\] of its"
    with pytest.raises(StartingPointError, match=words):
        check_without_table(recipe, tmp_path / "more", start=model)


def test_a_pulled_checkpoint_is_no_start_for_a_simple_cnn(home: Path, tmp_path: Path) -> None:
    assert pull("theirs", "--from", make_checkpoint(tmp_path / "checkpoint"))[0] == 0
    with pytest.raises(StartingPointError, match="another architecture than the recipe's; it is "):
        check_without_table(TINY, tmp_path / "more", start="theirs")
