from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pawsight.data.augment import Augmentation, draw_crops, mirror
from pawsight.data.crops import crop
from pawsight.data.hints import GRID, Hints, ask_for_hints


class Colours:
    """Sees the average colour of every 4×4 pixels, and counts the pictures it looked at."""

    name = "colours"

    def __init__(self, patience: int = 10**9) -> None:
        self.looked_at = 0
        self.patience = patience

    def __call__(self, pictures: Tensor) -> Tensor:
        self.looked_at += len(pictures)
        if self.looked_at > self.patience:
            raise KeyboardInterrupt
        return F.avg_pool2d(pictures, 4)


def smooth_pictures(count: int) -> Tensor:
    small = torch.rand(count, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    large = F.interpolate(small, (64, 64), mode="bilinear", align_corners=False)
    return (large * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def test_a_crops_hint_is_what_the_teacher_sees_in_the_crop(tmp_path: Path) -> None:
    pixels = smooth_pictures(6)
    hints = ask_for_hints(Colours(), pixels, 3, tmp_path / "hints.npy")
    generator = torch.Generator().manual_seed(1)
    how = Augmentation(rotation=0.0)
    crops = mirror(draw_crops(6, how, generator), 0.5, generator)
    seen = F.avg_pool2d(crop(pixels, 4 * GRID, crops), 4)
    with np.load(tmp_path / "hints.basis.npz") as kept:
        mean, basis = torch.from_numpy(kept["mean"]), torch.from_numpy(kept["basis"])
    expected = ((seen.permute(0, 2, 3, 1) - mean) @ basis).permute(0, 3, 1, 2)
    hinted = hints.of(torch.arange(6), crops)
    assert hinted.shape == (6, 3, GRID, GRID)
    torch.testing.assert_close(hinted, expected, atol=0.1, rtol=0)


def test_all_components_together_have_variance_one(tmp_path: Path) -> None:
    hints = ask_for_hints(Colours(), smooth_pictures(40), 3, tmp_path / "hints.npy")
    assert hints.maps.astype(np.float32).var(axis=(0, 1, 2)).sum() == pytest.approx(1.0, abs=0.01)


def test_fewer_components_are_the_largest(tmp_path: Path) -> None:
    pixels = smooth_pictures(40)
    every = ask_for_hints(Colours(), pixels, 3, tmp_path / "every.npy")
    one = ask_for_hints(Colours(), pixels, 1, tmp_path / "one.npy")
    assert one.components == 1
    largest = every.maps[..., :1].astype(np.float32)
    assert abs(np.corrcoef(largest.ravel(), one.maps.astype(np.float32).ravel())[0, 1]) > 0.999


def test_looking_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    pixels = smooth_pictures(200)
    whole = ask_for_hints(Colours(), pixels, 3, tmp_path / "whole.npy")
    fitting = 200 + 1
    with pytest.raises(KeyboardInterrupt):
        ask_for_hints(Colours(patience=fitting + 130), pixels, 3, tmp_path / "broken.npy")
    again = Colours()
    mended = ask_for_hints(again, pixels, 3, tmp_path / "broken.npy")
    assert again.looked_at == 200 - 128
    np.testing.assert_array_equal(whole.maps, mended.maps)


def test_hints_stay_with_their_pictures() -> None:
    maps = np.zeros((3, 2, 2, 1), dtype=np.float16)
    maps[:, :, :, 0] = np.arange(3)[:, None, None]
    whole = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]).repeat(2, 1, 1)
    hinted = Hints(maps).of(torch.tensor([2, 0]), whole)
    torch.testing.assert_close(hinted.mean((1, 2, 3)), torch.tensor([2.0, 0.0]))
