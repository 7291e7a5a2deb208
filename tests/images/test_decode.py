"""Bytes become the pixels that a person would see."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from pawsight.images.decode import Pixels, decode, upright_rgb
from pawsight.images.errors import DamagedImage, TruncatedImage, UnsupportedFormat
from tests.images.pictures import (
    HEIGHT,
    WIDTH,
    chunk,
    gif_on_screen,
    png,
    rgb,
    samples,
    save,
    scene,
    tiff,
    tiff_of,
    translucent,
)

WHITE = [255, 255, 255]


@pytest.mark.parametrize("name", samples())
def test_every_kind_of_file_gives_its_picture(name: str) -> None:
    data, expected, tolerance = samples()[name]
    pixels = decode(data)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    assert np.abs(pixels.astype(int) - expected).mean() <= tolerance


def rgb_pixels(image: Image.Image) -> Pixels:
    """A Pillow image as it is read."""
    return np.array(upright_rgb(image))


def test_a_gif_frame_smaller_than_its_screen_lies_on_white() -> None:
    frame = scene(20, 10).quantize(32)
    pixels = decode(gif_on_screen(frame, (40, 30), (5, 8)))
    expected = np.full((30, 40, 3), 255, np.uint8)
    expected[8:18, 5:25] = rgb(frame)
    assert np.array_equal(pixels, expected)


def test_a_gif_frame_that_leaves_its_screen_makes_it_larger() -> None:
    frame = scene(20, 10).quantize(32)
    pixels = decode(gif_on_screen(frame, (15, 8), (0, 0)))
    assert np.array_equal(pixels, rgb(frame))


def test_sixteen_bits_of_grey_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(4, 256)
    for data in (png(ramp), tiff_of(ramp), tiff_of(ramp, order=">")):
        assert np.array_equal(decode(data)[:, :, 1], ramp >> 8)


def test_the_clear_level_of_a_sixteen_bit_grey_png_lies_on_white() -> None:
    grey = np.array([[1000, 2000, 30000]], np.uint16)
    data = png(grey, extra=chunk(b"tRNS", (2000).to_bytes(2, "big")))
    assert decode(data)[0].tolist() == [[3] * 3, WHITE, [117] * 3]


def test_pixels_of_32_bits_are_refused_in_words() -> None:
    tags = {256: 2, 257: 2, 258: 32, 259: 1, 262: 1, 273: 16, 277: 1, 278: 2, 279: 16, 339: 3}
    with pytest.raises(UnsupportedFormat, match="pixels of 32 bits"):
        decode(tiff(tags, np.array([0.5, -1, 2, 1e9], np.float32).tobytes()))


def test_a_bmp_whose_rows_go_down() -> None:
    data = bytearray(save(scene(), "BMP"))
    data[22:26] = (-HEIGHT).to_bytes(4, "little", signed=True)
    assert np.array_equal(decode(bytes(data)), rgb(scene())[::-1])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"])
def test_tiny_pictures_are_pictures(kind: str, size: tuple[int, int]) -> None:
    assert decode(save(scene(*size), kind)).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpegs_of_any_size_and_sampling_equal_pillows(subsampling: int, progressive: bool) -> None:
    for width in range(1, 36, 3):
        options = {"subsampling": subsampling, "progressive": progressive}
        data = save(scene(width, 37 - width), "JPEG", **options)
        assert np.array_equal(decode(data), rgb(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "P", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "LA", "La", "PA"],
)
def test_pillow_images_of_every_mode(mode: str) -> None:
    image = scene()
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert converted is not None
        image = converted
    elif mode in ("RGBa", "La", "PA"):
        image = image.convert(mode.upper() if mode != "PA" else "P").convert(mode)
    else:
        image = image.convert(mode)
    expected = rgb(scene().convert("L" if mode in ("L", "LA", "La") else "RGB"))
    tolerance = {"1": 130, "P": 30, "PA": 30, "LAB": 3, "HSV": 3, "YCbCr": 2}.get(mode, 1)
    pixels = rgb_pixels(image)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).mean() <= tolerance


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I", "F"])
def test_pillow_images_of_deep_grey(mode: str) -> None:
    deep = np.array([[0, 300, 65535]], np.int32)
    if mode == "F":
        with pytest.raises(UnsupportedFormat, match="32 bits"):
            rgb_pixels(Image.fromarray(deep.astype(np.float32)))
        return
    if mode == "I":
        image = Image.fromarray(deep)
    else:
        raw = deep.astype(">u2" if mode == "I;16B" else "<u2")
        image = Image.frombytes(mode, (3, 1), raw.tobytes())
    assert rgb_pixels(image)[0, :, 0].tolist() == [0, 1, 255]


def test_pillow_images_with_transparency_lie_on_white() -> None:
    clear = Image.new("RGBA", (2, 1), (10, 20, 30, 0))
    clear.putpixel((1, 0), (10, 20, 30, 255))
    for mode in ("RGBA", "RGBa"):
        assert rgb_pixels(clear.convert(mode)).tolist() == [[WHITE, [10, 20, 30]]]
    assert rgb_pixels(clear.convert("LA")).tolist() == [[WHITE, [18, 18, 18]]]
    keyed = clear.convert("RGB")
    keyed.info["transparency"] = (10, 20, 30)
    assert rgb_pixels(keyed).tolist() == [[WHITE, WHITE]]


def test_pillow_images_are_set_upright() -> None:
    image = scene()
    image.getexif()[0x0112] = 3
    assert np.array_equal(rgb_pixels(image), rgb(scene())[::-1, ::-1])


def test_pillow_images_are_left_as_they_were() -> None:
    image = translucent(scene())
    before = image.tobytes()
    rgb_pixels(image)[:] = 0
    assert image.tobytes() == before


def test_pillow_images_opened_from_bad_files_are_refused_like_the_files() -> None:
    data = samples()["png"].data
    with pytest.raises(TruncatedImage):
        rgb_pixels(Image.open(io.BytesIO(data[: len(data) // 2])))
    with pytest.raises(DamagedImage):
        rgb_pixels(Image.new("RGB", (0, 5)))


def test_threads_do_not_disturb_each_other() -> None:
    files = [sample.data for sample in samples().values()]
    alone = [decode(data) for data in files]
    with ThreadPoolExecutor(8) as threads:
        for pixels in threads.map(lambda _: [decode(data) for data in files], range(16)):
            assert all(map(np.array_equal, pixels, alone))


def test_the_process_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    for data, _, _ in samples().values():
        decode(data)
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)
    assert capfd.readouterr() == ("", "")


def test_pillows_own_limit_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode(samples()["jpeg"].data)
        decode(samples()["png"].data)
