"""CatDogDataModule: a DataFrame of paths and labels, as batches."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pawsight.batch import Batch
from pawsight.data.augment import (
    NO_AUGMENTATION,
    Augmentation,
    augment,
    draw_crops,
    mirror,
    mix,
)
from pawsight.data.hints import Hints, HintTeacher, ask_for_hints
from pawsight.data.pictures import (
    Pictures,
    RawBatch,
    ResumableLoader,
    as_it_is,
    load_pictures,
    shrink,
)
from pawsight.data.problems import TableError, report
from pawsight.data.splits import SPLITS, split_table
from pawsight.data.table import read_table
from pawsight.data.views import Teacher, Views
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.labels import classes_of, numbers_of

log = logging.getLogger(__name__)


class CatDogDataModule(L.LightningDataModule):
    """Splits, decodes, augments and normalises labelled photographs.

    Every picture is decoded once, by threads, and kept as uint8 in memory (120 kB at 200×200), so
    that decoding is never what training waits for. Validation and test pictures go through the
    same functions of :mod:`pawsight.images.preprocess` as in serving; training pictures are kept at
    ``cache_size``, and cropped from there or, where an epoch's crops are smaller, from what is
    shrunk for it.

    Args:
        dataframe: With ``split`` (``train``, ``validation``, ``test``): rows that are clean, with
            ``path`` and ``label``. Without: any table that :func:`~pawsight.data.table.read_table`
            takes; rows that cannot be used are logged and left out, and
            :func:`~pawsight.data.splits.split_table` splits the rest. Rows labelled ``neither``
            show none of the classes.
        image_size: Height and width for validation and test, and for training where
            ``training_sizes`` says nothing else.
        classes: The labels in the order of the logits; by default those of the table, sorted.
        batch_size: Of training; evaluation takes twice as many.
        cache_size: Height and width at which training pictures wait in memory.
        training_sizes: Pairs (first epoch, size), for progressive resizing.
        augmentation: For training; None trains on the plain pictures.
        repeats: How often an epoch has the pictures of a label, where not once.
        teachers: Whose answers training batches carry.
        views: How many crops of each picture there are in training, drawn once, so that teachers
            look at each only once and the answers are kept; 0 draws anew every time, and teachers
            look at what the network sees.
        hinting: Teachers of which training batches carry what they see at every place, each with
            the number of principal components that are kept of it.
        answers: The folder for what teachers said; needed with ``hinting``, and with ``views`` and
            ``teachers``.
        preprocessing: By default ``image_size``, stretched, ImageNet's mean and deviation.
        seed: Of the order and of the augmentation.

    Raises:
        TableError: The table cannot be used, or has labels that are not among the classes.
        ValueError: There are ``hinting``, or ``views`` and ``teachers``, and no folder for what
            they say.
    """

    def __init__(
        self,
        dataframe: pd.DataFrame,
        image_size: int = 256,
        *,
        classes: Sequence[str] | None = None,
        batch_size: int = 128,
        cache_size: int | None = None,
        training_sizes: Sequence[tuple[int, int]] = (),
        augmentation: Augmentation | None = None,
        preprocessing: Preprocessing | None = None,
        seed: int = 0,
        repeats: Mapping[str, int] | None = None,
        teachers: Sequence[Teacher] = (),
        views: int = 0,
        hinting: Sequence[tuple[HintTeacher, int]] = (),
        answers: Path | None = None,
    ) -> None:
        super().__init__()
        self.dataframe = dataframe if "split" in dataframe else _cleaned(dataframe, classes)
        labels = classes_of(self.dataframe["label"])
        self.classes = tuple(classes or labels)
        if unknown := sorted(map(str, set(labels) - set(self.classes))):
            raise TableError(
                f"labels that are none of the classes {', '.join(self.classes)}: "
                f"{', '.join(unknown)}"
            )
        if not answers and (hinting or (views and teachers)):
            raise ValueError("what teachers say of views and as hints is kept: name its folder")
        self.batch_size = batch_size
        self.image_size = image_size
        self.cache_size = cache_size or image_size
        self.training_sizes = sorted(training_sizes)
        self.augmentation = augmentation or NO_AUGMENTATION
        self.preprocessing = preprocessing or Preprocessing(height=image_size, width=image_size)
        self.seed = seed
        self.repeats = dict(repeats or {})
        self.teachers = teachers
        self.views = views
        self.hinting = hinting
        self.answers = answers
        self._views: Views | None = None
        self.hints: list[Hints] = []
        self._pictures: dict[str, Pictures] = {}
        self._small: Tensor | None = None

    def rows(self, split: str) -> pd.DataFrame:
        """The rows of one split: ``train``, ``validation`` or ``test``."""
        chosen: pd.DataFrame = self.dataframe.loc[self.dataframe["split"] == split]
        return chosen

    def setup(self, stage: str | None = None) -> None:
        """Decode what the stage needs: ``fit``, ``validate``, ``test``, or None for all."""
        wanted = {"fit": ("train", "validation"), "validate": ("validation",), "test": ("test",)}
        for split in wanted.get(stage or "", SPLITS):
            if split not in self._pictures:
                self._pictures[split] = self._load(split)
        if self.views and "train" in self._pictures and self._views is None:
            pixels = self._pictures["train"].pixels
            self._views = Views(len(pixels), self.views, self.augmentation, self.seed)
            if self.answers:
                self._views.ask(self.teachers, pixels, self.answers)
        if self.answers and "train" in self._pictures and not self.hints:
            self.hints = [
                ask_for_hints(
                    teacher,
                    self._pictures["train"].pixels,
                    components,
                    self.answers / f"hints-{number}-{teacher.name}.npy",
                )
                for number, (teacher, components) in enumerate(self.hinting)
            ]

    def _load(self, split: str) -> Pictures:
        rows = self.rows(split)
        paths = [str(path) for path in rows["path"]]
        numbers = numbers_of(self.classes)
        labels = [numbers[label] for label in rows["label"]]
        how = self.preprocessing
        if split == "train":
            side = self.cache_size
            how = Preprocessing(height=side, width=side, resample=how.resample)
        repeats = self.repeats if split == "train" else {}
        times = [repeats.get(label, 1) for label in rows["label"]]
        return Pictures(load_pictures(paths, how), np.asarray(labels, dtype=np.int64), times)

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled batches, the last incomplete one dropped where there are several."""
        return ResumableLoader(self._pictures["train"], self.batch_size, seed=self.seed)

    def val_dataloader(self) -> DataLoader[RawBatch]:
        """The validation split in its own order."""
        return self._in_order("validation")

    def test_dataloader(self) -> DataLoader[RawBatch]:
        """The test split in its own order."""
        return self._in_order("test")

    def _in_order(self, split: str) -> DataLoader[RawBatch]:
        return DataLoader(
            self._pictures[split], batch_size=2 * self.batch_size, collate_fn=as_it_is
        )

    def training_size(self, epoch: int) -> int:
        """Height and width of training pictures in an epoch."""
        size = self.image_size
        for first, this in self.training_sizes:
            if epoch >= first:
                size = this
        return size

    def _shrunk(self, size: int) -> Tensor:
        """The training pictures, no larger than an epoch's smallest crops ask for.

        Crops are sampled with no regard to what lies between the samples, so that what is cropped
        must not be much larger than its crop; and it is read faster.
        """
        side = math.ceil(size / math.sqrt(self.augmentation.min_area))
        pixels = self._pictures["train"].pixels
        if side >= self.cache_size:
            return pixels
        if self._small is None or self._small.shape[1] != side:
            self._small = shrink(pixels, side)
        return self._small

    def on_before_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> RawBatch | Batch:
        """What the processor does: shrink for training, normalise for the rest."""
        if self.trainer is None or not self.trainer.training:
            pixels = batch.copied().pixels.numpy()
            return Batch(torch.from_numpy(normalise(pixels, self.preprocessing)), batch.labels)
        size = self.training_size(self.trainer.current_epoch)
        batch = batch._replace(pixels=self._shrunk(size))
        stays = self.trainer.strategy.root_device.type == "cpu"
        return batch if stays else batch.copied()

    def on_after_batch_transfer(self, batch: RawBatch | Batch, dataloader_idx: int) -> Batch:
        """What the training's device does: augment and normalise."""
        if isinstance(batch, Batch):
            return batch
        if self.trainer is None:
            raise RuntimeError("pictures are augmented in a training alone")
        return self._training_batch(batch, self.trainer)

    def _training_batch(self, batch: RawBatch, trainer: L.Trainer) -> Batch:
        size = self.training_size(trainer.current_epoch)
        # The step seeds the draw, so that a resumed training sees the pictures it would have seen.
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + trainer.global_step)
        how, labels, rows = self.augmentation, batch.labels, batch.rows.cpu()
        answers: tuple[Tensor, ...] = ()
        if self._views is not None:
            crops, answers = self._views.of_epoch(trainer.current_epoch, rows)
        else:
            crops = draw_crops(len(labels), how, generator)
        crops = mirror(crops, how.flip, generator)
        hints = tuple(kept.of(rows, crops) for kept in self.hints)
        pictures = augment(batch.pixels, size, how, generator, crops, batch.at)
        if how.mixes:
            pictures, labels = mix(pictures, labels, len(self.classes), how, generator)
        if self._views is None:
            answers = tuple(teacher(pictures) for teacher in self.teachers)
        device = pictures.device
        return Batch(
            _normalised(pictures, self.preprocessing),
            labels,
            tuple(each.to(device) for each in answers),
            tuple(each.to(device) for each in hints),
        )


def _normalised(pictures: Tensor, how: Preprocessing) -> Tensor:
    """What :func:`normalise` does, of float [N, 3, H, W] in [0, 1], in place if channels are last.

    Line by line, not three values at a time.
    """
    count, channels, height, width = pictures.shape
    lines = pictures.permute(0, 2, 3, 1).reshape(count, height, width * channels)
    mean, std = (torch.tensor(each * width, device=lines.device) for each in (how.mean, how.std))
    seen = lines.sub_(mean).div_(std).view(count, height, width, channels)
    return seen.permute(0, 3, 1, 2)


def _cleaned(dataframe: pd.DataFrame, classes: Sequence[str] | None) -> pd.DataFrame:
    table = read_table(dataframe, classes=classes)
    result = split_table(table.frame)
    if problems := (*table.problems, *result.problems):
        log.warning("rows that are not used:\n%s", report(problems))
    return result.frame
