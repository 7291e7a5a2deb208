from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pawsight.data.augment import (
    NO_AUGMENTATION,
    Augmentation,
    augment,
    draw_crops,
    mirror,
    mix,
)
from pawsight.data.crops import crop

PIXELS = torch.randint(0, 256, (6, 40, 40, 3), generator=torch.Generator().manual_seed(0)).to(
    torch.uint8
)


def run(how: Augmentation, seed: int = 0, size: int = 40) -> torch.Tensor:
    return augment(PIXELS, size, how, torch.Generator().manual_seed(seed))


def test_the_same_generator_gives_the_same_pictures() -> None:
    how = Augmentation(erase=0.5)
    assert torch.equal(run(how), run(how))
    assert not torch.equal(run(how), run(how, seed=1))


def test_values_stay_between_black_and_white_at_the_strongest() -> None:
    wild = run(Augmentation(brightness=0.9, contrast=0.9, saturation=0.9, erase=1.0), size=32)
    assert wild.shape == (6, 3, 32, 32)
    assert wild.min() >= 0
    assert wild.max() <= 1


def test_no_augmentation_leaves_a_picture_as_it_is() -> None:
    plain = PIXELS.permute(0, 3, 1, 2).float() / 255
    torch.testing.assert_close(run(NO_AUGMENTATION), plain, atol=1e-5, rtol=0)


def test_flipping_mirrors_left_and_right() -> None:
    plain = PIXELS.permute(0, 3, 1, 2).float() / 255
    torch.testing.assert_close(
        run(replace(NO_AUGMENTATION, flip=1.0)), plain.flip(3), atol=1e-5, rtol=0
    )


def test_grey_pictures_have_equal_channels() -> None:
    grey = run(replace(NO_AUGMENTATION, grey=1.0))
    torch.testing.assert_close(grey[:, 0], grey[:, 2], atol=1e-5, rtol=0)


def test_erasing_blanks_a_rectangle_of_every_picture_and_nothing_else() -> None:
    plain, erased = run(NO_AUGMENTATION), run(replace(NO_AUGMENTATION, erase=1.0))
    share = (plain != erased).any(dim=1).float().mean(dim=(1, 2))
    assert (share > 0).all()
    assert (share < 0.25).all()


def test_crops_are_stretched_as_far_as_they_may_and_no_further() -> None:
    ramp = torch.arange(200, dtype=torch.uint8)
    across = ramp.expand(500, 200, 200)[..., None].expand(-1, -1, -1, 3)
    how = replace(NO_AUGMENTATION, min_area=0.25, max_aspect=2.0)
    shown = augment(across, 50, how, torch.Generator().manual_seed(0))
    widths = (shown[:, 0, :, -1] - shown[:, 0, :, 0]).mean(dim=1) * 255 * 50 / 49 / 200
    assert widths.min() > 0.33  # sqrt(0.25 / 2), less half a pixel at each end
    assert widths.min() < 0.45
    assert widths.max() > 0.95


def test_mixup_blends_pictures_and_labels_by_the_same_share() -> None:
    pictures = torch.eye(3).repeat_interleave(2, dim=0)[:, :, None, None]
    labels = torch.tensor([0, 0, 1, 1, -1, -1])
    how = replace(NO_AUGMENTATION, mixup=0.4)
    mixed, shares = mix(pictures, labels, 2, how, torch.Generator().manual_seed(0))
    assert shares.sum(dim=1).tolist() == pytest.approx([1.0] * 6)
    torch.testing.assert_close(mixed[:, :, 0, 0], shares)


def test_cutmix_shows_a_rectangle_of_another_and_shares_the_labels_by_area() -> None:
    pictures = torch.arange(4.0)[:, None, None, None].expand(4, 3, 20, 20)
    how = replace(NO_AUGMENTATION, cutmix=1.0)
    mixed, shares = mix(pictures, torch.arange(4), 4, how, torch.Generator().manual_seed(3))
    for picture, share in zip(mixed, shares, strict=True):
        shown = torch.stack([(picture[0] == value).float().mean() for value in range(4)])
        torch.testing.assert_close(share[:4], shown)
    assert (shares.max(dim=1).values < 1).any()


def test_with_both_a_batch_is_either_blended_or_cut() -> None:
    pictures = torch.arange(8.0)[:, None, None, None].expand(8, 3, 16, 16)
    how = replace(NO_AUGMENTATION, mixup=0.8, cutmix=0.8)
    labels = torch.zeros(8, dtype=torch.int64)
    blended = []
    for seed in range(20):
        mixed, _ = mix(pictures, labels, 1, how, torch.Generator().manual_seed(seed))
        blended.append(bool(mixed.frac().any()))
    assert any(blended)
    assert not all(blended)


def test_given_crops_are_used_mirrored_or_not() -> None:
    how = replace(NO_AUGMENTATION, min_area=0.3, max_aspect=1.5, rotation=10.0)
    crops = draw_crops(6, how, torch.Generator().manual_seed(0))
    plain = augment(PIXELS, 40, NO_AUGMENTATION, torch.Generator(), crops)
    torch.testing.assert_close(plain, crop(PIXELS, 40, crops))
    other_way = mirror(crops, 1.0, torch.Generator())
    mirrored = augment(PIXELS, 40, NO_AUGMENTATION, torch.Generator(), other_way)
    torch.testing.assert_close(mirrored, plain.flip(3), atol=1e-5, rtol=0)
