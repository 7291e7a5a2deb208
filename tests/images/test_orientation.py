"""Whichever way a camera was held, the picture comes out upright, and is turned once."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pawsight.images.decode import Pixels, decode
from tests.images.pictures import (
    TURNS,
    chunk,
    exif,
    png,
    rgb,
    samples,
    save,
    scene,
    tiff_of,
    translucent,
    with_segment,
)

_GREY = Image.linear_gradient("L").resize((48, 32)).rotate(30)

_KINDS: dict[str, tuple[str, Image.Image, dict[str, Any]]] = {
    "jpeg": ("JPEG", scene(), {"quality": 95, "subsampling": 0}),
    "jpeg-progressive": ("JPEG", scene(), {"quality": 95, "progressive": True}),
    "jpeg-grey": ("JPEG", _GREY, {"quality": 95}),
    "jpeg-cmyk": ("JPEG", scene().convert("CMYK"), {"quality": 95}),
    "png": ("PNG", scene(), {}),
    "png-palette": ("PNG", scene().quantize(64), {}),
    "png-palette-hole": ("PNG", scene().quantize(64), {"transparency": 3}),
    "png-alpha": ("PNG", translucent(scene()), {}),
    "png-grey-alpha": ("PNG", translucent(scene()).convert("LA"), {}),
    "png-1-bit": ("PNG", scene().convert("1"), {}),
    "png-16-bits-grey": ("PNG", _GREY.convert("I;16"), {}),
    "webp": ("WEBP", scene(), {"quality": 95}),
    "webp-alpha": ("WEBP", translucent(scene()), {"lossless": True}),
    "tiff": ("TIFF", scene(), {}),
    "tiff-lzw": ("TIFF", scene(), {"compression": "tiff_lzw"}),
    "tiff-palette": ("TIFF", scene().quantize(64), {}),
    "tiff-cmyk": ("TIFF", scene().convert("CMYK"), {"compression": "tiff_lzw"}),
    "avif": ("AVIF", scene(), {"quality": 95}),
    "avif-alpha": ("AVIF", translucent(scene()), {"quality": 95}),
    "heic": ("HEIC", scene(), {}),
    "heic-alpha": ("HEIC", translucent(scene()), {}),
}


def _file(name: str, orientation: int | None) -> bytes:
    kind, image, options = _KINDS[name]
    if orientation in TURNS:
        laid = image.transpose(TURNS[orientation])
        laid.info = dict(image.info)
    else:
        laid = image
    if kind == "TIFF":
        return save(laid, kind, tiffinfo={0x0112: orientation or 1}, **options)
    return save(laid, kind, **options, **({"exif": exif(orientation)} if orientation else {}))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", _KINDS)
def test_all_orientations_in_all_formats(name: str, orientation: int) -> None:
    upright = decode(_file(name, None))
    turned = decode(_file(name, orientation))
    assert turned.shape == upright.shape
    lossy = name.startswith(("jpeg", "webp", "avif", "heic"))
    assert np.abs(turned.astype(int) - upright).mean() <= (5 if lossy else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("order", "big", "tile"), [(">", False, 0), ("<", True, 0), ("<", False, 16)]
)
def test_all_orientations_in_all_kinds_of_tiff(
    orientation: int, order: str, big: bool, tile: int
) -> None:
    image = scene()
    laid = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    data = tiff_of(rgb(laid), order=order, big=big, tile=tile, tag_274=orientation)
    assert np.array_equal(decode(data), rgb(image))


def _exif_of(orientation: int, order: str = "<", form: str = "H") -> bytes:
    mark, code = (b"II*\0" if order == "<" else b"MM\0*"), {"B": 1, "H": 3, "I": 4}[form]
    value = struct.pack(order + form, orientation).ljust(4, b"\0")
    return mark + struct.pack(order + "IHHHI", 8, 1, 0x0112, code, 1) + value + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["B", "H", "I"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_exif_in_either_byte_order_and_any_whole_number(
    order: str, form: str, prefix: bytes
) -> None:
    block = _exif_of(6, order, form)
    jpeg = with_segment(samples()["jpeg"].data, 0xE1, b"Exif\0\0" + block)
    plain = decode(samples()["jpeg"].data)
    assert np.array_equal(decode(jpeg), np.rot90(plain, -1))
    before = chunk(b"eXIf", prefix + block)
    assert np.array_equal(decode(png(rgb(scene()), extra=before)), np.rot90(rgb(scene()), -1))


def test_exif_after_the_data_of_a_png_counts() -> None:
    data = samples()["png"].data
    late = data[:-12] + chunk(b"eXIf", _exif_of(3)) + data[-12:]
    assert np.array_equal(decode(late), rgb(scene())[::-1, ::-1])


def test_the_first_exif_block_of_a_jpeg_counts() -> None:
    jpeg = samples()["jpeg"].data
    for orientation in (6, 1):
        jpeg = with_segment(jpeg, 0xE1, b"Exif\0\0" + _exif_of(orientation))
    assert np.array_equal(decode(jpeg), decode(samples()["jpeg"].data))


_BROKEN = {
    "empty": b"",
    "noise": bytes(range(256)),
    "header only": b"II*\0\x08\0\0\0",
    "points nowhere": b"MM\0*\xff\xff\xff\xff" + bytes(40),
    "endless": b"II*\0\x08\0\0\0\xff\xff" + b"\x12\1\3\0\1\0\0" * 3,
    "orientation 0": _exif_of(0),
    "orientation 9": _exif_of(9),
    "orientation 65535": _exif_of(65535),
    "values outside": b"II*\0\x08\0\0\0\1\0"
    + struct.pack("<HHII", 0x0112, 3, 9, 1 << 30)
    + bytes(4),
}


@pytest.mark.parametrize("broken", _BROKEN)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIC"])
def test_a_broken_exif_block_does_not_refuse_the_picture(
    kind: str, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    block = Image.Exif()
    block[0x010F] = "p" * 300
    whole = block.tobytes()[6:]
    data = save(scene(), kind, exif=block.tobytes())
    assert whole in data
    swapped = data.replace(whole, _BROKEN[broken].ljust(len(whole), b"\xa5"))
    if kind == "PNG":
        swapped = png(rgb(scene()), extra=chunk(b"eXIf", _BROKEN[broken]))
    upright: Pixels = rgb(scene())
    assert np.abs(decode(swapped).astype(int) - upright).mean() <= 5
    assert capfd.readouterr() == ("", "")


def test_metadata_as_large_as_it_gets_do_not_refuse_the_picture() -> None:
    jpeg = samples()["jpeg"].data
    for marker in (0xE1, 0xE2, 0xED, 0xFE):
        jpeg = with_segment(jpeg, marker, b"ICC_PROFILE\0\1\1" + b"\xff\xd9" * 32000)
    assert np.array_equal(decode(jpeg), decode(samples()["jpeg"].data))
    comment = chunk(b"zTXt", b"Comment\0\0" + b"not zlib" * 1000)
    assert np.array_equal(decode(png(rgb(scene()), extra=comment)), rgb(scene()))
