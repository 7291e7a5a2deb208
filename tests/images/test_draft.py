"""A large JPEG is decoded small, and the network hardly sees a difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pawsight.images.decode import decode
from pawsight.images.preprocess import Preprocessing, resize
from tests.images.pictures import TURNS, exif, save, scene


def _differences(data: bytes, how: Preprocessing) -> np.ndarray:
    """How far the input of a network is off, in grey levels, where draft mode was used."""
    small = resize(decode(data, at_least=how.decode_size), how)
    return np.abs(small.astype(int) - resize(decode(data), how))


def _detailed(width: int, height: int) -> Image.Image:
    """A picture with edges, textures and fine lines at all scales."""
    y, x = np.mgrid[:height, :width]
    rings = 127 + 120 * np.sin((x**2 + y**2) / (4 * width))
    grid = np.where((x // 7 + y // 5) % 2, 255, rings)
    blots = np.asarray(scene(width, height)).astype(float)
    return Image.fromarray(((blots + grid[..., None]) / 2).astype(np.uint8))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(640, 480), (481, 640), (1303, 977), (2000, 300), (64, 64)])
@pytest.mark.parametrize("at_least", [(160, 160), (100, 220), (64, 64), (700, 20)])
def test_it_never_goes_below_twice_what_was_asked_for(
    size: tuple[int, int], at_least: tuple[int, int], progressive: bool, orientation: int
) -> None:
    data = save(scene(*size), "JPEG", progressive=progressive, exif=exif(orientation))
    whole, small = decode(data), decode(data, at_least=at_least)
    for side, full, asked in zip(small.shape, whole.shape, at_least, strict=False):
        assert side >= min(full, 2 * asked)
    assert small.shape[0] / whole.shape[0] == pytest.approx(
        small.shape[1] / whole.shape[1], abs=0.01
    )


def test_it_makes_large_pictures_small() -> None:
    data = save(scene(3600, 2400), "JPEG")
    assert decode(data, at_least=(224, 224)).shape == (600, 900, 3)
    assert decode(data, at_least=(100, 100)).shape == (300, 450, 3)


def test_it_turns_what_it_made_small() -> None:
    plain = save(scene(800, 600), "JPEG", quality=95)
    laid = save(scene(800, 600).transpose(TURNS[6]), "JPEG", quality=95, exif=exif(6))
    upright, turned = decode(plain, at_least=(64, 64)), decode(laid, at_least=(64, 64))
    assert turned.shape == upright.shape == (150, 200, 3)
    assert np.abs(turned.astype(int) - upright).mean() < 2


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_drawn_pictures_look_the_same(mode: str) -> None:
    for size in ((700, 500), (1400, 1000)):
        data = save(_detailed(*size).convert(mode), "JPEG", quality=90)
        for how in (Preprocessing(height=160, width=160), Preprocessing(height=224, width=224)):
            off = _differences(data, how)
            assert off.mean() < 1
            assert off.max() < 16


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "HEIC"])
def test_other_formats_are_decoded_whole(kind: str) -> None:
    assert decode(save(scene(160, 120), kind), at_least=(8, 8)).shape == (120, 160, 3)


def _mosaic(photographs: list[Path], columns: int) -> bytes:
    """A picture as large as a camera's, of real photographs."""
    width, height = 440, 330
    whole = Image.new("RGB", (columns * width, columns * height))
    for number, file in enumerate(photographs[: columns * columns]):
        tile = Image.open(file).convert("RGB").crop((0, 0, width, height))
        whole.paste(tile, (number % columns * width, number // columns * height))
    return save(whole, "JPEG", quality=90)


def test_real_photographs_look_the_same(shared_data: Path) -> None:
    files = sorted((shared_data / "originals").glob("*.jpg"))
    off: list[float] = []
    for file in files[::6]:
        data = file.read_bytes()
        for side in (64, 96):  # these photographs have 500 pixels at most
            how = Preprocessing(height=side, width=side)
            if decode(data, at_least=how.decode_size).shape != decode(data).shape:
                off.append(_differences(data, how).mean())
    assert len(off) > 30
    assert np.mean(off) < 1.5
    assert max(off) < 3


def test_real_photographs_as_large_as_a_cameras_look_the_same(shared_data: Path) -> None:
    files = [
        file
        for file in sorted((shared_data / "originals").glob("*.jpg"))
        if min(Image.open(file).size) >= 330
    ]
    for columns in (2, 4, 6):
        data = _mosaic(files, columns)
        for side in (160, 224):
            how = Preprocessing(height=side, width=side)
            if columns * 330 // 2 >= 2 * side:
                assert decode(data, at_least=how.decode_size).shape != decode(data).shape
            off = _differences(data, how)
            assert off.mean() < 1
            assert off.max() < 16
