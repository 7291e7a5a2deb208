from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from pawsight.batch import Batch
from pawsight.data.augment import Augmentation
from pawsight.data.datamodule import CatDogDataModule
from pawsight.data.views import Views
from tests.drawn import drawn_table

PIXELS = torch.randint(0, 256, (90, 40, 40, 3), generator=torch.Generator().manual_seed(0)).to(
    torch.uint8
)


class Painter:
    """A teacher that knows a picture's average colour."""

    name = "painter"
    image_size = 24
    num_outputs = 3

    def __init__(self, stop_after: int = 10**9) -> None:
        self.looked_at = 0
        self.stop_after = stop_after

    def __call__(self, pictures: Tensor) -> Tensor:
        if self.looked_at >= self.stop_after:
            raise InterruptedError
        self.looked_at += len(pictures)
        return pictures.mean((2, 3))


class Trainer:
    """What a data module asks of Lightning's."""

    training = True
    current_epoch = 1
    global_step = 5

    def __init__(self, device: str) -> None:
        self.strategy = SimpleNamespace(root_device=torch.device(device))


def training_batch(data: CatDogDataModule, device: str) -> Batch:
    """The first batch, as a training on a device gets it."""
    data.setup("fit")
    data.trainer = Trainer(device)  # type: ignore[assignment]
    picked = data.on_before_batch_transfer(next(iter(data.train_dataloader())), 0)
    moved = data.transfer_batch_to_device(picked, torch.device(device), 0)
    return data.on_after_batch_transfer(moved, 0)


def test_each_view_is_looked_at_once_even_if_that_is_broken_off(tmp_path: Path) -> None:
    whole = Views(90, 4, Augmentation(), seed=3)
    whole.ask([Painter()], PIXELS, tmp_path / "whole")
    broken = Painter(stop_after=200)
    with pytest.raises(InterruptedError):
        Views(90, 4, Augmentation(), seed=3).ask([broken], PIXELS, tmp_path / "broken")
    rest = Painter()
    again = Views(90, 4, Augmentation(), seed=3)
    again.ask([rest], PIXELS, tmp_path / "broken")
    assert broken.looked_at + rest.looked_at == 4 * 90
    np.testing.assert_array_equal(again.answers[0], whole.answers[0])
    nobody = Painter(stop_after=0)
    Views(90, 4, Augmentation(), seed=3).ask([nobody], PIXELS, tmp_path / "whole")


def test_views_come_in_turn_and_return() -> None:
    views = Views(6, 3, Augmentation(), seed=0)
    rows = torch.tensor([4, 1])
    shown = [views.of_epoch(epoch, rows)[0] for epoch in range(4)]
    assert not torch.equal(shown[0], shown[1])
    assert torch.equal(shown[0], shown[3])


def test_a_batch_carries_what_the_teacher_said_of_the_very_crops_in_it(tmp_path: Path) -> None:
    data = CatDogDataModule(
        drawn_table(tmp_path / "pictures", 16),
        image_size=24,
        batch_size=8,
        cache_size=40,
        augmentation=Augmentation(
            flip=0.5, brightness=0, contrast=0, saturation=0, grey=0, min_area=0.2
        ),
        teachers=[Painter()],
        views=2,
        answers=tmp_path / "answers",
    )
    batch = training_batch(data, "cpu")
    std, mean = torch.tensor([0.229, 0.224, 0.225]), torch.tensor([0.485, 0.456, 0.406])
    colours = batch.pixel_values.mean((2, 3)) * std + mean
    torch.testing.assert_close(batch.answers[0], colours, atol=2e-3, rtol=0)


def test_what_goes_to_another_device_is_the_batch_alone_and_becomes_the_same(
    tmp_path: Path,
) -> None:
    table, how = drawn_table(tmp_path, 16), Augmentation(min_area=0.5, erase=0.5)
    data = CatDogDataModule(table, image_size=24, batch_size=8, cache_size=40, augmentation=how)
    here = training_batch(data, "cpu")
    data.trainer = Trainer("meta")  # type: ignore[assignment]
    sent = data.on_before_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert not isinstance(sent, Batch)
    assert len(sent.pixels) == 8
    there = data.on_after_batch_transfer(sent, 0)
    assert torch.equal(there.pixel_values, here.pixel_values)
    assert torch.equal(there.labels, here.labels)


def test_a_label_can_come_several_times_an_epoch(tmp_path: Path) -> None:
    table = drawn_table(tmp_path, 8, ("cat", "dog", "neither"))
    data = CatDogDataModule(table, image_size=32, batch_size=2, repeats={"neither": 3})
    data.setup("fit")
    labels = torch.cat([batch.labels for batch in data.train_dataloader()])
    counts = table.loc[table["split"] == "train", "label"].value_counts()
    assert (labels == -1).sum() == 3 * counts["neither"]
    assert (labels == 0).sum() == counts["cat"]
