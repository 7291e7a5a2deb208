"""A file that was cut off is refused; nobody is told what is in its upper half."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pawsight.images.decode import decode
from pawsight.images.errors import ImageError, TruncatedImage
from tests.images.pictures import chunk, noise, samples, save, scene, with_segment

_JPEGS = [name for name in samples() if name.startswith("jpeg")]
_MORE_FOLLOWS = {"jpeg-two-pictures", "gif-animated", "tiff-pages"}
_PERCENT = range(1, 100, 3)
_END = b"\xff\xd9"
_NOTICED = 32  # so many lost bytes are more than the last block of any picture here


@pytest.mark.parametrize("name", samples())
def test_a_file_cut_anywhere_is_refused(name: str) -> None:
    data = samples()[name].data
    for percent in _PERCENT:
        cut = data[: min(len(data) * percent // 100, len(data) - _NOTICED)]
        if name not in _MORE_FOLLOWS:
            with pytest.raises(ImageError) as refusal:
                decode(cut)
            assert percent < 40 or str(refusal.value).startswith("truncated: the "), percent


@pytest.mark.parametrize("name", sorted(_MORE_FOLLOWS))
def test_a_file_cut_behind_its_first_picture_gives_that_picture(name: str) -> None:
    data, expected, tolerance = samples()[name]
    answered = 0
    for percent in _PERCENT:
        try:
            pixels = decode(data[: len(data) * percent // 100])
        except TruncatedImage:
            assert not answered
        else:
            answered += 1
            assert np.abs(pixels.astype(int) - expected).mean() <= tolerance + 1
    assert answered


def _single(name: str) -> bytes:
    """A JPEG without the pictures that follow its first."""
    data = samples()[name].data
    return data[: data.index(_END) + 2] if name == "jpeg-two-pictures" else data


@pytest.mark.parametrize("name", _JPEGS)
def test_a_jpeg_whose_rest_is_zero_bytes_is_refused(name: str) -> None:
    data = _single(name)
    for percent in _PERCENT:
        cut = min(len(data) * percent // 100, len(data) - _NOTICED)
        with pytest.raises(ImageError) as refusal:
            decode(data[:cut].ljust(len(data), b"\0"))
        assert cut < data.rindex(b"\xff\xda") + 20 or isinstance(refusal.value, TruncatedImage)
    with pytest.raises(TruncatedImage):
        decode(data[:-30] + bytes(100_000))


@pytest.mark.parametrize("name", _JPEGS)
def test_a_cut_jpeg_that_was_closed_is_refused(name: str) -> None:
    data = _single(name)
    last_scan = data.rindex(b"\xff\xda") if "progressive" in name else len(data)
    for percent in _PERCENT:
        cut = min(len(data) * percent // 100, len(data) - _NOTICED, last_scan - 1)
        with pytest.raises(ImageError):
            decode(data[:cut] + _END)


@pytest.mark.parametrize("name", [name for name in _JPEGS if "progressive" in name])
def test_a_cut_jpeg_is_not_completed_by_what_follows_it(name: str) -> None:
    data = samples()[name].data
    for cut in range(data.index(b"\xff\xda") + 20, data.rindex(b"\xff\xda"), 40):
        with pytest.raises(ImageError):
            decode(data[:cut] + _END + data)


@pytest.mark.parametrize("quality", [30, 90])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_a_progressive_jpeg_lacks_in_its_last_scan_cannot_be_seen(
    quality: int, progressive: bool
) -> None:
    # A whole picture is there before the last scan begins. A sequential one has but one scan.
    data = save(scene(320, 240), "JPEG", quality=quality, progressive=progressive)
    last_scan = data.rindex(b"\xff\xda")
    for part in (0.1, 0.5, 0.9):
        cut = last_scan + 14 + int((len(data) - last_scan - 40) * part)
        if progressive:
            pixels = decode(data[:cut] + _END)
            assert np.abs(pixels.astype(int) - decode(data)).mean() < 2
        else:
            with pytest.raises(TruncatedImage):
                decode(data[:cut] + _END)


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_rows": 1}])
def test_a_row_of_blocks_is_enough_to_be_missed(options: dict[str, int]) -> None:
    pixels = np.asarray(noise(160, 128)).copy()
    pixels[96:] = 255  # what is missing is flat, and takes few bytes
    data = save(Image.fromarray(pixels), "JPEG", quality=75, **options)
    whole = decode(data)
    for lost in range(2, 100):
        try:
            kept = decode(data[:-lost] + _END)
        except TruncatedImage:
            continue
        assert lost < 12
        assert np.array_equal(kept[:112], whole[:112])


def test_a_damaged_byte_that_ends_the_data_early_is_noticed() -> None:
    data = save(noise(64, 64), "JPEG", quality=75)
    middle = data.index(b"\xff\0", len(data) // 2)
    with pytest.raises(TruncatedImage):
        decode(data[:middle] + b"\xff\x41" + data[middle + 2 :])


def test_a_closed_png_or_gif_that_lacks_rows_is_refused() -> None:
    data = save(noise(64, 64), "PNG")
    start = data.index(b"IDAT")
    for part in (0.2, 0.5, 0.95):
        body = data[start + 4 : start + 4 + int((len(data) - start) * part)]
        with pytest.raises(TruncatedImage):
            decode(data[: start - 4] + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    gif = save(noise(64, 64).quantize(256), "GIF")
    image = gif.index(struct.pack("<BHHHH", 0x2C, 0, 0, 64, 64)) + 11
    assert gif[image] == 255 == gif[image + 256]
    with pytest.raises(TruncatedImage):
        decode(gif[: image + 8 * 256] + b"\0;")


# --- what looks cut and is whole -----------------------------------------------------------------


@pytest.mark.parametrize("name", _JPEGS)
@pytest.mark.parametrize(
    "trailer", [b"\0", bytes(5000), b"garbage", b"\xff" * 9, b"\xff\xd8\xff\xe1", _END]
)
def test_what_follows_a_jpeg_is_of_no_interest(name: str, trailer: bytes) -> None:
    data = samples()[name].data
    assert np.array_equal(decode(data + trailer), decode(data))


@pytest.mark.parametrize("padding", [0, 1, 4096])
@pytest.mark.parametrize("name", [n for n in _JPEGS if "progressive" not in n and "two" not in n])
def test_a_jpeg_without_end_marker_is_whole_if_all_rows_are_there(name: str, padding: int) -> None:
    data = samples()[name].data
    assert np.array_equal(decode(data[:-2] + bytes(padding)), decode(data))


@pytest.mark.parametrize("colour", ["white", "black", "grey"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
def test_flat_pictures_are_whole(mode: str, colour: str, options: dict[str, bool]) -> None:
    # Their coded data may be long runs of zero bytes.
    flat = Image.new("RGB", (400, 300), colour).convert(mode)
    assert decode(save(flat, "JPEG", **options)).shape == (300, 400, 3)


def test_marks_between_segments_and_odd_scan_headers_are_forgiven() -> None:
    data = samples()["jpeg"].data
    scan = data.index(b"\xff\xda")
    table = data.index(b"\xff\xdb")
    header = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
    for odd in (
        data[:table] + b"\xff\xff\xff" + data[table:],
        data[:table] + b"junk" + data[table:],
        data[:-2] + b"\xff\xff" + _END,
        data[: header - 3] + b"\0\0\0" + data[header:],  # a sequential scan's band means nothing
        with_segment(data, 0xFE, b"\xff\xd9 is no end here \xff\xda"),
    ):
        assert np.array_equal(decode(odd), decode(data))


def test_real_photographs_cut_anywhere_are_refused(shared_data: Path) -> None:
    photographs = sorted((shared_data / "originals").glob("*.jpg"))[::25]
    assert photographs
    dice = random.Random(4)
    for file in photographs:
        data = file.read_bytes()
        assert np.array_equal(decode(data), np.array(Image.open(io.BytesIO(data)).convert("RGB")))
        for _ in range(6):
            cut = dice.randrange(20, len(data) - _NOTICED)
            for rest in (b"", _END, bytes(len(data) - cut), bytes(99) + _END):
                with pytest.raises(ImageError, match=r"^(truncated|damaged|not an image): "):
                    decode(data[:cut] + rest)
