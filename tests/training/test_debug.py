from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.tuner.tuning import Tuner

from pawsight.models.cnn_model import SimpleCNN
from pawsight.training.debug import one_batch, overfit, profile
from pawsight.training.learning_rate import find_learning_rate
from pawsight.training.recipe import Hint
from tests.drawn import drawn_table
from tests.training.recipes import TINY


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_ten_pictures_are_learned_by_heart(tmp_path: Path, here: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 12, ("cat", "dog", "neither"))
    taught = TINY.model_copy(update={"hints": (Hint(teacher="of nobody"),)})
    assert overfit(table, taught) == 1.0  # without its teachers
    assert not list(here.iterdir())


def test_a_network_that_is_blind_is_found_out(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(self: SimpleCNN, pixel_values: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(
            pixel_values.new_zeros(len(pixel_values), self.num_features)
        )
        return logits

    monkeypatch.setattr(SimpleCNN, "forward", blind)
    assert overfit(drawn_table(tmp_path / "pictures", 12), TINY) < 1.0


def test_one_batch_and_a_profile_keep_nothing(tmp_path: Path, here: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 8)
    one_batch(table, TINY)
    assert "training_step" in profile(table, TINY)
    assert not list(here.iterdir())


def test_the_range_test_finds_a_rate_that_the_network_learns_at(tmp_path: Path, here: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 24)
    test = find_learning_rate(table, TINY)
    assert list(test.rates) == sorted(test.rates)
    assert test.suggestion is not None
    assert 1e-5 < test.suggestion < 1.0
    assert not list(here.iterdir())


@pytest.mark.parametrize("exploded", [float("inf"), float("nan")])
def test_a_loss_that_explodes_in_the_end_hides_no_fall_before(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, exploded: float
) -> None:
    rates = np.geomspace(1e-6, 1.0, 100)
    losses = np.where(rates < 1e-3, 2.0, 1.0)
    losses[95:] = exploded
    found = SimpleNamespace(results={"lr": rates.tolist(), "loss": losses.tolist()})
    monkeypatch.setattr(Tuner, "lr_find", lambda *_, **__: found)
    test = find_learning_rate(drawn_table(tmp_path / "pictures", 8), TINY)
    assert test.suggestion == pytest.approx(1e-3, rel=0.2)
