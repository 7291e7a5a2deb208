"""Hints: what a teacher sees at every place of a picture, kept, and cut as the picture is cut."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

log = logging.getLogger(__name__)

GRID: Final = 8
"""Rows and columns of places at which a crop's hint is read."""

_BATCH: Final = 64
_FITTED_ON: Final = 1024


class HintTeacher(Protocol):
    """A trained network whose last feature map another learns to see.

    Attributes:
        name: For the log and the file.
    """

    name: str

    def __call__(self, pictures: Tensor) -> Tensor:
        """Features float32 [N, D, h, w] of pictures float32 [N, 3, H, W] in [0, 1], of any size."""


class Hints:
    """A teacher's feature maps of all training pictures, on their principal components.

    The teacher looks at each picture once, whole; a crop's hint is the same crop of its map
    (Romero et al. 2015, *FitNets: hints for thin deep nets*, with the crops of Beyer et al. 2022
    made to cost nothing). All components together have variance 1, so that the squared error of a
    guess is the part of the variance that it does not explain.

    Args:
        maps: float16 [N, h, w, K].
    """

    def __init__(self, maps: NDArray[np.float16]) -> None:
        self.maps = maps

    @property
    def components(self) -> int:
        """K."""
        return int(self.maps.shape[3])

    def of(self, rows: Tensor, crops: Tensor) -> Tensor:
        """What the teacher sees in crops.

        Args:
            rows: Which pictures, int64 [B].
            crops: Affine maps as from :func:`~pawsight.data.augment.draw_crops`, float [B, 2, 3].

        Returns:
            float32 [B, K, GRID, GRID].
        """
        maps = torch.from_numpy(self.maps[rows.numpy()]).permute(0, 3, 1, 2).to(torch.float32)
        grid = F.affine_grid(crops, [len(rows), 1, GRID, GRID], align_corners=False)
        return F.grid_sample(maps, grid, padding_mode="reflection", align_corners=False)


def ask_for_hints(teacher: HintTeacher, pixels: Tensor, components: int, file: Path) -> Hints:
    """Let a teacher look at every picture, or go on where that was broken off.

    Args:
        teacher: Who looks.
        pixels: uint8 [N, H, W, 3].
        components: K, the principal components that are kept; all of them, if it has fewer.
        file: Where the maps are kept, float16 [N, h, w, K].

    Returns:
        The maps, which stay on the disk.
    """
    basis_file = file.with_suffix(".basis.npz")
    if not basis_file.exists():
        basis_file.parent.mkdir(parents=True, exist_ok=True)
        mean, basis = _principal_components(teacher, pixels, components)
        begun = basis_file.with_suffix(".begun")
        with begun.open("wb") as stream:
            np.savez(stream, mean=mean.numpy(), basis=basis.numpy())
        begun.rename(basis_file)
    with np.load(basis_file) as kept:
        mean, basis = torch.from_numpy(kept["mean"]), torch.from_numpy(kept["basis"])
    if basis.shape[1] < components:
        log.info("%s sees %d features: all are kept, for %d components",
                 teacher.name, basis.shape[1], components)  # fmt: skip
    maps = _open_maps(teacher, pixels, basis.shape[1], file)
    waiting = np.flatnonzero(np.isnan(maps[:, 0, 0, 0]))
    if len(waiting):
        log.info("%s looks at %d pictures for its hints", teacher.name, len(waiting))
    for start in range(0, len(waiting), _BATCH):
        rows = waiting[start : start + _BATCH]
        seen = teacher(_in_unit_range(pixels[rows])).permute(0, 2, 3, 1)
        maps[rows] = ((seen - mean) @ basis).numpy().astype(np.float16)
    maps.flush()
    return Hints(maps)


def _open_maps(
    teacher: HintTeacher, pixels: Tensor, components: int, file: Path
) -> np.memmap[Any, np.dtype[np.float16]]:
    if not file.exists():
        height, width = teacher(_in_unit_range(pixels[:1])).shape[2:]
        begun = file.with_suffix(".begun")  # a kill must not leave zeros that look like hints
        shape = (len(pixels), height, width, components)
        maps = np.lib.format.open_memmap(begun, mode="w+", dtype=np.float16, shape=shape)
        maps[:, 0, 0, 0] = np.nan  # not looked at yet
        maps.flush()
        begun.rename(file)
    return np.lib.format.open_memmap(file, mode="r+")


def _principal_components(
    teacher: HintTeacher, pixels: Tensor, components: int
) -> tuple[Tensor, Tensor]:
    """Mean float32 [D], and a basis float32 [D, K] in which all variance together is 1."""
    chosen = torch.linspace(0, len(pixels) - 1, min(_FITTED_ON, len(pixels))).long()
    seen = [teacher(_in_unit_range(pixels[rows])) for rows in torch.split(chosen, _BATCH)]
    places = torch.cat([each.permute(0, 2, 3, 1).flatten(0, 2) for each in seen])
    mean = places.mean(dim=0)
    centred = places - mean
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    variances, directions = variances[-components:], directions[:, -components:]
    return mean, directions.flip(1) / variances.sum().sqrt()


def _in_unit_range(pixels: Tensor) -> Tensor:
    return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255.0)
