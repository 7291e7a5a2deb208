from __future__ import annotations

from itertools import chain
from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch

from pawsight.data.augment import Augmentation
from pawsight.data.datamodule import CatDogDataModule
from pawsight.data.pictures import EpochOrder, load_pictures
from pawsight.data.problems import TableError
from pawsight.images.decode import decode
from pawsight.images.preprocess import Preprocessing, preprocess
from tests.drawn import drawn_table


def test_validation_sees_what_serving_sees_to_the_last_bit(tmp_path: Path) -> None:
    table = drawn_table(tmp_path, per_class=8)
    data = CatDogDataModule(table, image_size=50)
    data.setup("validate")
    batch = next(iter(data.val_dataloader()))
    pictures, labels, *_ = data.on_before_batch_transfer(batch, 0)
    rows = data.rows("validation")
    how = Preprocessing(height=50, width=50)
    for picture, path in zip(pictures.numpy(), rows["path"], strict=True):
        served = preprocess(decode(Path(path).read_bytes(), at_least=how.decode_size), how)
        assert picture.tobytes() == served.tobytes()
    assert [data.classes[label] for label in labels] == rows["label"].tolist()


def test_the_default_is_256_by_256_with_imagenets_statistics(tmp_path: Path) -> None:
    data = CatDogDataModule(drawn_table(tmp_path, per_class=4))
    assert (data.preprocessing.height, data.preprocessing.width) == (256, 256)
    assert data.preprocessing.mean == (0.485, 0.456, 0.406)
    assert data.preprocessing.std == (0.229, 0.224, 0.225)


def test_a_raw_table_is_cleaned_and_gets_all_three_splits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = drawn_table(tmp_path, per_class=20).drop(columns="split")
    table["label"] = [f" {label.title()}" for label in table["label"]]
    table.loc[len(table)] = [str(tmp_path / "missing.png"), "dog"]
    data = CatDogDataModule(table.rename(columns={"path": "image_name"}), image_size=32)
    assert data.classes == ("cat", "dog")
    assert "missing.png" in caplog.text
    sizes = {split: len(data.rows(split)) for split in ("train", "validation", "test")}
    assert sum(sizes.values()) == 40
    assert all(sizes.values())


def test_a_label_that_is_no_class_is_refused_and_not_taken_for_background(tmp_path: Path) -> None:
    table = drawn_table(tmp_path, 8, ("cat", "dog", "wolf"))
    with pytest.raises(TableError, match="none of the classes cat, dog: wolf"):
        CatDogDataModule(table, image_size=32, classes=("cat", "dog"))


def test_neither_trains_as_background(tmp_path: Path) -> None:
    data = CatDogDataModule(drawn_table(tmp_path, 8, ("cat", "dog", "neither")), image_size=32)
    data.setup("fit")
    assert data.classes == ("cat", "dog")
    labels = torch.cat([batch.labels for batch in data.train_dataloader()])
    assert sorted(set(labels.tolist())) == [-1, 0, 1]


def test_every_picture_once_an_epoch_in_another_order_each_time() -> None:
    order = EpochOrder(length=40, batch_size=8, seed=0)
    first, second = list(order), list(order)
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(40))
    assert first != second
    assert list(EpochOrder(length=40, batch_size=8, seed=0)) == first


def test_an_epoch_that_nobody_asked_to_its_end_is_over_all_the_same() -> None:
    order = EpochOrder(length=40, batch_size=8, seed=0)
    batches = iter(order)
    first = [next(batches) for _ in range(len(order))]
    assert sorted(chain(*first)) == sorted(chain(*order)) == list(range(40))


def test_the_order_goes_on_where_its_state_was_taken(tmp_path: Path) -> None:
    data = CatDogDataModule(drawn_table(tmp_path, 16), image_size=32, batch_size=4)
    data.setup("fit")
    whole = data.train_dataloader()
    seen = [batch.labels.tolist() for _ in range(2) for batch in whole]
    again = data.train_dataloader()
    taken = iter(again)
    begun = [next(taken).labels.tolist() for _ in range(3)]
    resumed = data.train_dataloader()
    resumed.load_state_dict(again.state_dict())
    rest = [batch.labels.tolist() for _ in range(2) for batch in resumed]
    assert begun + rest == seen


def test_training_pictures_grow_as_the_recipe_says(tmp_path: Path) -> None:
    data = CatDogDataModule(
        drawn_table(tmp_path, 4), image_size=64, training_sizes=[(3, 48), (0, 32)]
    )
    assert [data.training_size(epoch) for epoch in (0, 2, 3, 9)] == [32, 32, 48, 48]


def test_small_crops_are_cut_from_small_pictures_and_show_the_same(tmp_path: Path) -> None:
    how = Augmentation(min_area=0.9, max_aspect=1.1, brightness=0, contrast=0, saturation=0, grey=0)
    batches = []
    for cache_size in (40, 240):
        data = CatDogDataModule(
            drawn_table(tmp_path, 4), image_size=32, cache_size=cache_size, augmentation=how
        )
        data.setup("fit")
        trainer = L.Trainer(logger=False, enable_checkpointing=False)
        trainer.training = True
        data.trainer = trainer
        raw = next(iter(data.train_dataloader()))
        assert raw.pixels.shape[1] == cache_size
        picked = data.on_before_batch_transfer(raw, 0)
        batches.append(data.on_after_batch_transfer(picked, 0).pixel_values)
    assert batches[0].shape == batches[1].shape
    assert (batches[0] - batches[1]).abs().mean() < 0.1


def test_pictures_are_loaded_in_the_order_of_their_paths(tmp_path: Path) -> None:
    table = drawn_table(tmp_path, 12)
    how = Preprocessing(height=20, width=30)
    together = load_pictures(table["path"].tolist(), how)
    assert together.shape == (24, 20, 30, 3)
    assert np.array_equal(together[7], load_pictures([table["path"][7]], how)[0])


def test_lightning_trains_on_it(tmp_path: Path) -> None:
    """Augmented in training, plain in validation: seen through a real trainer."""
    shapes: dict[str, torch.Size] = {}

    class Probe(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
            shapes["train"] = batch[0].shape
            return batch[0].mean() * self.weight

        def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
            shapes["validation"] = batch[0].shape

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = CatDogDataModule(
        drawn_table(tmp_path, 8), 64, batch_size=4, cache_size=72, training_sizes=[(0, 32)]
    )
    L.Trainer(fast_dev_run=True, accelerator="cpu", logger=False, enable_progress_bar=False).fit(
        Probe(), datamodule=data
    )
    assert shapes == {"train": (4, 3, 32, 32), "validation": (4, 3, 64, 64)}


def test_columns_other_than_those_needed_do_no_harm(tmp_path: Path) -> None:
    table: pd.DataFrame = drawn_table(tmp_path, 8).assign(camera="x", group="")
    assert len(CatDogDataModule(table, image_size=32).rows("train")) == 8
