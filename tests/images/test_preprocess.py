"""Pixels become what a network was trained on."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from pawsight.images.decode import Pixels, decode
from pawsight.images.preprocess import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Preprocessing,
    normalise,
    preprocess,
    resize,
)
from tests.images.pictures import noise, rgb, save, scene

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def _reference(pixels: Pixels, how: Preprocessing) -> np.ndarray:
    """The same, said as plainly as can be."""
    image = Image.fromarray(pixels)
    width, height = image.width * how.crop_fraction, image.height * how.crop_fraction
    if how.geometry == "crop":
        kept = min(image.width / how.width, image.height / how.height) * how.crop_fraction
        width, height = kept * how.width, kept * how.height
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, left + width, top + height)
    small = image.resize((how.width, how.height), _FILTERS[how.resample], box=box)
    scaled = np.asarray(small, dtype=np.float64) / 255
    tensor: np.ndarray = ((scaled - how.mean) / how.std).transpose(2, 0, 1)
    return tensor


_HOWS = [
    Preprocessing(),
    Preprocessing(height=160, width=160),
    Preprocessing(height=96, width=224, resample="bicubic"),
    Preprocessing(height=224, width=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    Preprocessing(height=64, width=64, resample="lanczos"),
    Preprocessing(height=224, width=224, crop_fraction=0.875, resample="bicubic"),
    Preprocessing(height=224, width=224, geometry="crop"),
    Preprocessing(height=224, width=224, geometry="crop", crop_fraction=0.875, resample="bicubic"),
    Preprocessing(height=64, width=128, geometry="crop", crop_fraction=0.9),
]


@pytest.mark.parametrize("how", _HOWS, ids=str)
@pytest.mark.parametrize(
    "size", [(256, 256), (500, 375), (375, 500), (31, 17), (1, 1), (1, 5000), (5000, 1), (2, 900)]
)
def test_it_does_what_it_says(how: Preprocessing, size: tuple[int, int]) -> None:
    pixels = rgb(noise(*size))
    tensor = preprocess(pixels, how)
    assert tensor.shape == (3, how.height, how.width)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert np.abs(tensor - _reference(pixels, how)).max() < 1e-6


def test_imagenets_white_and_black() -> None:
    how = Preprocessing(height=8, width=8)
    for level in (0, 255):
        tensor = preprocess(np.full((20, 20, 3), level, np.uint8), how)
        for channel in range(3):
            value = (level / 255 - IMAGENET_MEAN[channel]) / IMAGENET_STD[channel]
            assert tensor[channel] == pytest.approx(value, abs=1e-6)


def test_channels_stay_in_order() -> None:
    how = Preprocessing(height=8, width=8, mean=(0, 0, 0), std=(1, 1, 1))
    red = np.zeros((30, 40, 3), np.uint8)
    red[:, :, 0] = 255
    assert preprocess(red, how).mean(axis=(1, 2)).tolist() == [1, 0, 0]


def _framed() -> Pixels:
    """White, in a black frame that takes an eighth of each side."""
    pixels = np.zeros((160, 160, 3), np.uint8)
    pixels[20:140, 20:140] = 255
    return pixels


def test_stretching_keeps_all_and_cropping_keeps_the_middle() -> None:
    stripes = np.zeros((90, 300, 3), np.uint8)
    stripes[:, 100:200] = 255  # black, white, black
    stretched = resize(stripes, Preprocessing(height=60, width=60))
    assert stretched[:, 2].max() == 0
    assert stretched[:, 30].min() == 255
    cropped = resize(stripes, Preprocessing(height=60, width=60, geometry="crop"))
    assert cropped.min() == 255
    tight = resize(_framed(), Preprocessing(height=60, width=60, geometry="crop"))
    assert tight[0].max() == 0
    inner = Preprocessing(height=60, width=60, geometry="crop", crop_fraction=0.7)
    assert resize(_framed(), inner).min() == 255
    within = Preprocessing(height=60, width=60, crop_fraction=0.7)
    assert resize(_framed(), within).min() == 255


def test_a_turned_picture_gives_a_turned_input() -> None:
    how = Preprocessing(height=64, width=64, geometry="crop", crop_fraction=0.8)
    pixels = rgb(scene(200, 120))
    turned = resize(np.ascontiguousarray(pixels.swapaxes(0, 1)), how)
    straight = resize(pixels, how).swapaxes(0, 1)
    # Before Pillow 13, which needs Python 3.11, some values are rounded otherwise.
    assert np.abs(turned.astype(int) - straight).max() <= 1


def test_the_input_is_neither_changed_nor_kept() -> None:
    for how in (Preprocessing(height=48, width=48), Preprocessing(height=48, width=64)):
        pixels = rgb(scene(64, 48))
        before = pixels.copy()
        resize(pixels, how)[:] = 0
        preprocess(pixels, how)[:] = 0
        normalise(pixels, how)[:] = 0
        assert np.array_equal(pixels, before)


def test_views_and_read_only_arrays_are_taken() -> None:
    how = Preprocessing(height=32, width=32)
    pixels = rgb(scene(100, 80))
    pixels.flags.writeable = False
    expected = preprocess(np.ascontiguousarray(pixels[::-1, ::-1]), how)
    assert np.array_equal(preprocess(pixels[::-1, ::-1], how), expected)
    same = Preprocessing(height=80, width=100)
    assert np.array_equal(resize(pixels[::-1], same), pixels[::-1])


def test_batches_are_normalised_like_pictures() -> None:
    how = Preprocessing(height=16, width=24)
    batch = np.stack([rgb(noise(24, 16, seed)) for seed in range(6)])
    tensors = normalise(batch, how)
    assert tensors.shape == (6, 3, 16, 24)
    assert tensors.flags.c_contiguous
    for picture, tensor in zip(batch, tensors, strict=True):
        assert np.array_equal(normalise(picture, how), tensor)
    assert normalise(batch.reshape(2, 3, 16, 24, 3), how).shape == (2, 3, 3, 16, 24)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    geometry=st.sampled_from(["stretch", "crop"]),
    fraction=st.floats(0.01, 1),
    resample=st.sampled_from(sorted(_FILTERS)),
)
def test_any_shape_gives_finite_numbers(
    width: int, height: int, geometry: str, fraction: float, resample: str
) -> None:
    how = Preprocessing.model_validate(
        {
            "height": 40,
            "width": 24,
            "geometry": geometry,
            "crop_fraction": fraction,
            "resample": resample,
        }
    )
    tensor = preprocess(rgb(noise(width, height)), how)
    assert tensor.shape == (3, 40, 24)
    assert np.isfinite(tensor).all()
    assert np.abs(tensor).max() < 3


def test_one_pixel_fills_the_input() -> None:
    how = Preprocessing(height=32, width=32)
    tensor = preprocess(decode(save(scene(1, 1), "PNG")), how)
    assert (tensor == tensor[:, :1, :1]).all()


def test_decode_size_is_what_the_resizing_starts_from() -> None:
    assert Preprocessing(height=160, width=160).decode_size == (160, 160)
    cropped = Preprocessing(height=224, width=192, geometry="crop", crop_fraction=0.875)
    assert cropped.decode_size == (256, 220)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"hight": 224}, "hight"),
        ({"height": 7}, "height"),
        ({"width": 2049}, "width"),
        ({"width": 0}, "width"),
        ({"height": 224.5}, "height"),
        ({"std": [0.2, 0, 0.2]}, "std"),
        ({"std": [0.2, -0.2, 0.2]}, "std"),
        ({"std": [0.2, float("inf"), 0.2]}, "std"),
        ({"std": [0.2, 0.2]}, "std"),
        ({"mean": [0.5, float("nan"), 0.5]}, "mean"),
        ({"mean": ["red", 0, 0]}, "mean"),
        ({"crop_fraction": 0}, "crop_fraction"),
        ({"crop_fraction": 1.01}, "crop_fraction"),
        ({"crop_fraction": float("nan")}, "crop_fraction"),
        ({"geometry": "fit"}, "geometry"),
        ({"resample": "nearest"}, "resample"),
    ],
)
def test_wrong_parameters_are_named(wrong: dict[str, object], names: str) -> None:
    with pytest.raises(ValidationError, match=names):
        Preprocessing.model_validate(wrong)


@pytest.mark.parametrize("how", _HOWS, ids=str)
def test_it_survives_json(how: Preprocessing) -> None:
    assert Preprocessing.model_validate_json(how.model_dump_json()) == how
    assert Preprocessing.model_validate(json.loads(json.dumps(how.model_dump()))) == how


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Preprocessing().height = 9
    assert hash(Preprocessing()) == hash(Preprocessing())


def test_a_file_and_its_pixels_give_the_same_input() -> None:
    how = Preprocessing(height=96, width=96)
    data = save(scene(300, 200), "PNG")
    opened = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(preprocess(decode(data), how), preprocess(opened, how))
