"""Training where there is a GPU; skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pawsight.data.augment import Augmentation, augment
from pawsight.data.datamodule import CatDogDataModule
from pawsight.training.fit import fit
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunFolder
from tests.data.test_views import Painter, training_batch
from tests.drawn import drawn_table
from tests.training.recipes import TINY

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.mark.parametrize(
    "recipe",
    [
        TINY,
        TINY.model_copy(update={"optimizer": "muon", "precision": "auto"}),
        TINY.model_copy(update={"augmentation": Augmentation(mixup=0.2, cutmix=1.0)}),
    ],
    ids=["AdamW", "Muon", "mixed"],
)
def test_the_drawn_pictures_are_learned_on_it(tmp_path: Path, recipe: Recipe) -> None:
    table = drawn_table(tmp_path / "pictures", 24, ("cat", "dog", "neither"))
    classifier = fit(table, recipe, RunFolder(tmp_path / "run"))
    assert classifier.trainer.strategy.root_device.type == "cuda"
    assert classifier.trainer.callback_metrics["val_accuracy"] > 0.9
    assert classifier(torch.zeros(1, 3, 48, 48)).shape == (1, 2)  # back on the processor


def test_it_augments_as_the_processor_does() -> None:
    pixels = torch.randint(0, 256, (16, 64, 64, 3), dtype=torch.uint8)
    here, there = (
        augment(each, 48, Augmentation(erase=0.5), torch.Generator().manual_seed(1)).cpu()
        for each in (pixels, pixels.to("cuda"))
    )
    torch.testing.assert_close(here, there, atol=1e-3, rtol=0)


def test_teachers_answers_come_to_it(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 16)
    for views in (0, 2):
        data = CatDogDataModule(
            table,
            image_size=32,
            augmentation=Augmentation(),
            teachers=[Painter()],
            views=views,
            answers=tmp_path / f"answers-{views}",
        )
        batch = training_batch(data, "cuda")
        assert batch.pixel_values.is_cuda
        assert batch.answers[0].is_cuda
