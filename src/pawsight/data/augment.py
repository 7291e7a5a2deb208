"""Augmentation on tensors, a whole batch at once: all that training adds to a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

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


def augment(pixels: Tensor, size: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Crop, turn, mirror, recolour and erase each picture of a batch differently.

    Args:
        pixels: uint8 [N, H, W, 3].
        size: Height and width of the result.
        how: The strengths.
        generator: The source of all randomness: the same state gives the same pictures.

    Returns:
        float32 [N, 3, size, size] in [0, 1], channels last in memory.
    """
    scaled = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255.0)
    grid = F.affine_grid(
        _crops(len(pixels), how, generator), [len(pixels), 3, size, size], align_corners=False
    )
    cropped = F.grid_sample(scaled, grid, padding_mode="reflection", align_corners=False)
    coloured = _recolour(cropped, how, generator).clamp_(0.0, 1.0)
    return _erase(coloured, how, generator).contiguous(memory_format=torch.channels_last)


def mix(
    pictures: Tensor, labels: Tensor, classes: int, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blend each picture with another of its batch (mixup).

    Args:
        pictures: float [N, 3, H, W].
        labels: int64 [N], in [0, classes), or -1 for none of them.
        classes: C.
        alpha: Of the Beta(alpha, alpha) that draws the blending weight, one a batch.
        generator: The source of all randomness.

    Returns:
        Pictures, and the weight of each class and of the background, float [N, C + 1].
    """
    weight = _beta(alpha, generator)
    partner = torch.randperm(len(pictures), generator=generator)
    shares = F.one_hot(torch.where(labels < 0, classes, labels), classes + 1).to(pictures.dtype)
    return (
        torch.lerp(pictures[partner], pictures, weight),
        torch.lerp(shares[partner], shares, weight),
    )


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=generator)


def _crops(count: int, how: Augmentation, generator: torch.Generator) -> Tensor:
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
    mirror = torch.where(_uniform(count, 0.0, 1.0, generator) < how.flip, -1.0, 1.0)
    angle = _uniform(count, -how.rotation, how.rotation, generator).deg2rad()
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([width * cos * mirror, -width * sin, left], dim=1),
        torch.stack([height * sin * mirror, height * cos, top], dim=1),
    ]
    return torch.stack(rows, dim=1)


def _recolour(pictures: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and saturation by one 3×3 matrix and one shift a picture."""
    count = len(pictures)
    brightness = 1 + _uniform(count, -how.brightness, how.brightness, generator)
    contrast = 1 + _uniform(count, -how.contrast, how.contrast, generator)
    saturation = 1 + _uniform(count, -how.saturation, how.saturation, generator)
    saturation[_uniform(count, 0.0, 1.0, generator) < how.grey] = 0.0
    luma = torch.tensor(_LUMA).expand(3, 3)
    keep = saturation[:, None, None]
    matrix = keep * torch.eye(3) + (1 - keep) * luma
    matrix = matrix * (brightness * contrast)[:, None, None]
    mean = pictures.mean(dim=(1, 2, 3)) * brightness
    shift = (mean * (1 - contrast))[:, None, None]
    flat = pictures.flatten(2)
    return torch.baddbmm(shift, matrix, flat).view_as(pictures)


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
    mask = (inside & chosen[:, None, None])[:, None]
    return torch.where(mask, pictures.mean(dim=(2, 3), keepdim=True), pictures)


def _beta(alpha: float, generator: torch.Generator) -> float:
    """One draw from Beta(alpha, alpha)."""
    # torch's Beta takes no generator: a numpy generator seeded from ours draws instead.
    seed = int(torch.randint(2**31, (1,), generator=generator).item())
    return float(np.random.default_rng(seed).beta(alpha, alpha))
