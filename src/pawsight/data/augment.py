"""Augmentation on tensors, a whole batch at once: all that training adds to a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pawsight.data.crops import crop

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Augmentation:
    """What happens to a training picture, each drawn anew for every picture.

    Attributes:
        min_area: The smallest part of the picture's area that a crop keeps, in (0, 1].
        max_aspect: Crops are stretched by a factor drawn log-uniformly from 1/max_aspect to
            max_aspect: a picture that was squashed to a square is seen in other shapes again.
        flip: Probability of mirroring left and right.
        rotation: Largest turn, in degrees.
        brightness: Largest relative change.
        contrast: Largest relative change.
        saturation: Largest relative change.
        grey: Probability of losing all colour.
        erase: Probability of blanking a rectangle (Zhong et al. 2020, *Random erasing*).
        mixup: Parameter of the Beta distribution that blends pairs of pictures and their labels
            (Zhang et al. 2018, *mixup*); 0 for none.
        cutmix: The same for pairs of which one shows through a rectangle in the other (Yun et al.
            2019, *CutMix*); 0 for none. With both, each batch draws which of the two it gets.
    """

    min_area: float = 0.35
    max_aspect: float = 2.0
    flip: float = 0.5
    rotation: float = 10.0
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    grey: float = 0.05
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.min_area <= 1:
            raise ValueError(f"min_area = {self.min_area} is to be above 0 and at most 1")
        if self.max_aspect < 1:
            raise ValueError(f"max_aspect = {self.max_aspect} is to be at least 1")
        for name in ("flip", "grey", "erase"):
            if not 0 <= (probability := getattr(self, name)) <= 1:
                raise ValueError(f"{name} = {probability} is to be a probability, 0 to 1")
        for name in ("rotation", "brightness", "contrast", "saturation", "mixup", "cutmix"):
            if not (largest := getattr(self, name)) >= 0:
                raise ValueError(f"{name} = {largest} is to be 0 (for none) or more")

    @property
    def mixes(self) -> bool:
        """Whether pictures are mixed with each other."""
        return self.mixup > 0 or self.cutmix > 0


NO_AUGMENTATION: Final = Augmentation(
    min_area=1.0,
    max_aspect=1.0,
    flip=0.0,
    rotation=0.0,
    brightness=0.0,
    contrast=0.0,
    saturation=0.0,
    grey=0.0,
)
"""The whole picture, as it is."""


def augment(
    pixels: Tensor,
    size: int,
    how: Augmentation,
    generator: torch.Generator,
    crops: Tensor | None = None,
    rows: Tensor | None = None,
) -> Tensor:
    """Crop, turn, mirror, recolour and erase each picture of a batch differently.

    Args:
        pixels: uint8 [M, H, W, 3], on any device, where the work is done.
        size: Height and width of the result.
        how: The strengths.
        generator: The source of all randomness, of the processor: the same state gives the same
            pictures on every device.
        crops: What :func:`draw_crops` gave, mirrored as they shall be, float [N, 2, 3], in place of
            new ones.
        rows: Which of the pictures the batch has, int64 [N]; by default all.

    Returns:
        float32 [N, 3, size, size] in [0, 1].
    """
    count = len(pixels) if rows is None else len(rows)
    if crops is None:
        crops = mirror(draw_crops(count, how, generator), how.flip, generator)
    colours = _draw_colours(count, how, generator)
    return _erase(crop(pixels, size, crops, colours=colours, rows=rows), how, generator)


def draw_crops(count: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Affine maps float [N, 2, 3] from the result's coordinates to the picture's, both in [-1, 1].

    A crop of area a and aspect ratio r is sqrt(a r) wide and sqrt(a / r) high, at most the whole.
    """
    area = _uniform(count, how.min_area, 1.0, generator)
    bound = math.log(how.max_aspect)
    aspect = _uniform(count, -bound, bound, generator).exp()
    width = (area * aspect).sqrt().clamp(max=1.0)
    height = (area / aspect).sqrt().clamp(max=1.0)
    left = (1 - width) * _uniform(count, -1.0, 1.0, generator)
    top = (1 - height) * _uniform(count, -1.0, 1.0, generator)
    angle = _uniform(count, -how.rotation, how.rotation, generator).deg2rad()
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([width * cos, -width * sin, left], dim=1),
        torch.stack([height * sin, height * cos, top], dim=1),
    ]
    return torch.stack(rows, dim=1)


def mirror(crops: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Turn left and right around in some affine maps, float [N, 2, 3]."""
    sign = torch.where(_uniform(len(crops), 0.0, 1.0, generator) < probability, -1.0, 1.0)
    return torch.cat([crops[:, :, :1] * sign[:, None, None], crops[:, :, 1:]], dim=2)


def mix(
    pictures: Tensor, labels: Tensor, classes: int, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blend each picture with another of its batch, or let a rectangle of the other show through.

    Args:
        pictures: float [N, 3, H, W].
        labels: int64 [N], in [0, classes), or -1 for none of them.
        classes: C.
        how: Its ``mixup`` and ``cutmix``, one of them above 0; a batch has one weight for all.
        generator: The source of all randomness.

    Returns:
        Pictures, and the weight of each class and of the background, float [N, C + 1].
    """
    partner = torch.randperm(len(pictures), generator=generator)
    shares = F.one_hot(torch.where(labels < 0, classes, labels), classes + 1).to(pictures.dtype)
    heads = bool(torch.rand((), generator=generator) < 0.5)
    if how.mixup > 0 and (how.cutmix == 0 or heads):
        weight = _beta(how.mixup, generator)
        mixed = torch.lerp(pictures[partner], pictures, weight)
    else:
        top, bottom, left, right = _window(pictures.shape[2:], how.cutmix, generator)
        mixed = pictures.clone()
        mixed[:, :, top:bottom, left:right] = pictures[partner, :, top:bottom, left:right]
        weight = 1 - (bottom - top) * (right - left) / pictures[0, 0].numel()
    return mixed, torch.lerp(shares[partner], shares, weight)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=generator)


def _draw_colours(count: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation, as :func:`crop` takes them, float [N, 3, 4]."""
    brightness = 1 + _uniform(count, -how.brightness, how.brightness, generator)
    contrast = 1 + _uniform(count, -how.contrast, how.contrast, generator)
    saturation = 1 + _uniform(count, -how.saturation, how.saturation, generator)
    saturation[_uniform(count, 0.0, 1.0, generator) < how.grey] = 0.0
    luma = torch.tensor(_LUMA).expand(3, 3)
    keep = saturation[:, None, None]
    matrix = keep * torch.eye(3) + (1 - keep) * luma
    matrix = matrix * (brightness * contrast)[:, None, None]
    of_mean = brightness * (1 - contrast)
    return torch.cat([matrix, of_mean[:, None, None].expand(count, 3, 1)], dim=2)


def _erase(pictures: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Blank, in some pictures, one rectangle of 2 to 20 % of the area, with the picture's mean."""
    if how.erase == 0:
        return pictures
    count, _, height, width = pictures.shape
    chosen = _uniform(count, 0.0, 1.0, generator) < how.erase
    area = _uniform(count, 0.02, 0.2, generator)
    aspect = _uniform(count, -math.log(3), math.log(3), generator).exp()
    half_width = (area * aspect).sqrt() / 2
    half_height = (area / aspect).sqrt() / 2
    across = (torch.arange(width) + 0.5) / width - _uniform(count, 0.0, 1.0, generator)[:, None]
    down = (torch.arange(height) + 0.5) / height - _uniform(count, 0.0, 1.0, generator)[:, None]
    inside = (down.abs() < half_height[:, None])[:, :, None] & (across.abs() < half_width[:, None])[
        :, None, :
    ]
    mask = (inside & chosen[:, None, None])[:, None].to(pictures.device)
    return torch.where(mask, pictures.mean(dim=(2, 3), keepdim=True), pictures)


def _window(
    shape: torch.Size, alpha: float, generator: torch.Generator
) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of a rectangle with a Beta(alpha, alpha) part of the area."""
    height, width = shape
    side = math.sqrt(1 - _beta(alpha, generator))
    down, across = torch.rand(2, generator=generator).tolist()
    top, left = down * height - side * height / 2, across * width - side * width / 2
    return (
        max(round(top), 0),
        min(round(top + side * height), height),
        max(round(left), 0),
        min(round(left + side * width), width),
    )


def _beta(alpha: float, generator: torch.Generator) -> float:
    """One draw from Beta(alpha, alpha)."""
    # torch's Beta takes no generator: a numpy generator seeded from ours draws instead.
    seed = int(torch.randint(2**31, (1,), generator=generator).item())
    return float(np.random.default_rng(seed).beta(alpha, alpha))
