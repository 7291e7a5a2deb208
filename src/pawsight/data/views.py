"""Views: a few crops of every picture, drawn once, and what teachers say of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pawsight.data.augment import Augmentation, draw_crops
from pawsight.data.crops import crop

log = logging.getLogger(__name__)

_BATCH = 64


class Teacher(Protocol):
    """A trained network that another learns from.

    Attributes:
        name: For the log.
        image_size: Height and width at which it looks at pictures.
        num_outputs: K.
    """

    name: str
    image_size: int
    num_outputs: int

    def __call__(self, pictures: Tensor) -> Tensor:
        """Logits float32 [N, K] of pictures float32 [N, 3, H, W] in [0, 1], of any size."""


class Views:
    """Crops that come round again and again, so that teachers have to look at them only once.

    Teachers see the crop itself; what the student sees is mirrored, recoloured and erased anew each
    time. With one view a picture a student overfits (Beyer et al. 2022, *Knowledge distillation: a
    good teacher is patient and consistent*): have several.

    Args:
        pictures: N.
        count: Views of each, V.
        how: The strength of the crops.
        seed: Of the draw.
    """

    def __init__(self, pictures: int, count: int, how: Augmentation, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed * 104_729 + 1)
        drawn = draw_crops(count * pictures, how, generator)
        self.crops = drawn.view(count, pictures, 2, 3)
        self.answers: list[NDArray[np.float16]] = []

    def of_epoch(self, epoch: int, rows: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Crops and teachers' answers.

        Args:
            epoch: Decides which view is shown; neighbours see different ones.
            rows: Which pictures, int64 [B].

        Returns:
            Affine maps float [B, 2, 3], and for each teacher logits float32 [B, K].
        """
        view = (epoch + rows) % len(self.crops)
        chosen = view.numpy(), rows.numpy()
        return self.crops[view, rows], tuple(
            torch.from_numpy(kept[chosen].astype(np.float32)) for kept in self.answers
        )

    def ask(self, teachers: Sequence[Teacher], pixels: Tensor, folder: Path) -> None:
        """Let every teacher answer about every view, or go on where that was broken off.

        Args:
            teachers: In the order of the answers.
            pixels: uint8 [N, H, W, 3].
            folder: Where the answers are kept, float16 [V, N, K] a teacher.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.answers = [
            self._ask(teacher, pixels, folder / f"{number}-{teacher.name}.npy")
            for number, teacher in enumerate(teachers)
        ]

    def _ask(self, teacher: Teacher, pixels: Tensor, file: Path) -> NDArray[np.float16]:
        if not file.exists():
            begun = file.with_suffix(".begun")  # a kill must not leave zeros that look like answers
            shape = (*self.crops.shape[:2], teacher.num_outputs)
            kept = np.lib.format.open_memmap(begun, mode="w+", dtype=np.float16, shape=shape)
            kept[:, :, 0] = np.nan  # not asked yet
            kept.flush()
            begun.rename(file)
        kept = np.lib.format.open_memmap(file, mode="r+")
        for view, crops in enumerate(self.crops):
            waiting = np.flatnonzero(np.isnan(kept[view, :, 0]))
            if len(waiting):
                log.info("%s looks at view %d of %d", teacher.name, view + 1, len(self.crops))
            for start in range(0, len(waiting), _BATCH):
                rows = waiting[start : start + _BATCH]
                of = torch.from_numpy(rows)
                pictures = crop(pixels, teacher.image_size, crops[of], rows=of)
                kept[view, rows] = teacher(pictures).numpy().astype(np.float16)
            kept.flush()
        return kept
