"""What a picture may cost is decided before it costs anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pawsight.images.containers.jpeg import MAX_SCANS, MAX_SEGMENTS
from pawsight.images.decode import DEFAULT_LIMITS, Limits, decode
from pawsight.images.errors import DamagedImage, ImageTooLarge
from tests.images.pictures import (
    HEIGHT,
    WIDTH,
    claim_size,
    gif_on_screen,
    samples,
    scene,
    tiff,
    tiff_of,
)

_LIARS = [
    "jpeg",
    "jpeg-progressive",
    "jpeg-grey-progressive",
    "jpeg-cmyk-progressive",
    "png",
    "png-interlaced",
    "png-palette",
    "png-animated",
    "webp",
    "webp-lossless",
    "webp-animated",
    "gif",
    "bmp",
    "avif",
    "heic",
]


def bombs(width: int, height: int) -> dict[str, bytes]:
    """A file of each format, the headers of which claim this size."""
    lies = {name: claim_size(samples()[name].data, width, height) for name in _LIARS}
    strips: dict[int, int | list[int]] = {
        256: width,
        257: height,
        258: [8] * 3,
        259: 1,
        262: 2,
        277: 3,
        273: 16,
        279: 300,
    }
    tiles: dict[int, int | list[int]] = {
        256: 16,
        257: 16,
        258: [8] * 3,
        259: 1,
        262: 2,
        277: 3,
        324: 16,
        325: 300,
    }
    lies["tiff"] = tiff(strips, bytes(300))
    lies["tiff-lzw"] = tiff(strips | {259: 5}, bytes(300))
    lies["tiff-tiles"] = tiff(tiles | {259: 8, 322: width, 323: height}, bytes(300))
    lies["bigtiff"] = tiff(strips, bytes(300), big=True)
    lies["gif-frame"] = gif_on_screen(scene().quantize(8), (1, 1), (width - WIDTH, height - HEIGHT))
    return lies


@pytest.mark.parametrize("name", bombs(99, 99))
def test_the_size_in_the_header_is_held_against_the_limit(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for size in ((30_000, 30_000), (10_001, 9_999), (16_000, 16_000)):
        for at_least in (None, (224, 224)):
            with pytest.raises(ImageTooLarge) as refusal:
                decode(bombs(*size)[name], at_least=at_least)
            words = f"too large: {size[0]}×{size[1]} pixels, limit 52 million"
            assert str(refusal.value) == words
    assert capfd.readouterr() == ("", "")


_MEASURE = """
import sys
from pathlib import Path
from pawsight.images.decode import decode
from pawsight.images.errors import ImageTooLarge

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

sound, bombs = sorted(Path(sys.argv[1]).iterdir()), sorted(Path(sys.argv[2]).iterdir())
for file in sound:
    decode(file.read_bytes())
before = peak()
for file in bombs:
    for at_least in (None, (224, 224)):
        try:
            decode(file.read_bytes(), at_least=at_least)
        except ImageTooLarge:
            pass
        else:
            raise SystemExit(f"{file} was decoded")
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_stays_flat_under_bombs(tmp_path: Path) -> None:
    sound, hostile = tmp_path / "sound", tmp_path / "hostile"
    for folder in (sound, hostile):
        folder.mkdir()
    for name in _LIARS:
        (sound / name).write_bytes(samples()[name].data)
    for size in ((9_000, 10_000), (16_000, 16_000), (30_000, 30_000)):
        for name, data in bombs(*size).items():
            (hostile / f"{name}-{size[0]}").write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(sound), str(hostile)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert int(ran.stdout) < 20  # MB more than decoding small pictures takes


def test_the_limits_are_the_callers() -> None:
    data = samples()["png"].data
    decode(data, limits=Limits(max_bytes=len(data), max_pixels=WIDTH * HEIGHT))
    with pytest.raises(ImageTooLarge) as refusal:
        decode(data, limits=Limits(max_pixels=WIDTH * HEIGHT - 1))
    assert str(refusal.value) == f"too large: {WIDTH}×{HEIGHT} pixels, limit 1 535"
    with pytest.raises(ImageTooLarge) as refusal:
        decode(data, limits=Limits(max_bytes=1000))
    assert str(refusal.value) == f"too large: {len(data):_} bytes, limit 1 000".replace("_", " ")


def test_bytes_are_counted_before_anything_is_read() -> None:
    with pytest.raises(ImageTooLarge, match="too large: more than 33 554 432 bytes, the limit"):
        decode(bytes(DEFAULT_LIMITS.max_bytes + 1))


@pytest.mark.parametrize("size", [(0, 20), (20, 0), (0, 0)])
@pytest.mark.parametrize("name", [n for n in _LIARS if not n.startswith(("webp", "gif"))])
def test_pictures_without_pixels_are_refused(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(DamagedImage):
        decode(claim_size(samples()[name].data, *size))


def test_a_webp_without_pixels_is_refused() -> None:
    data = samples()["webp"].data
    with pytest.raises(DamagedImage, match="damaged: the WEBP is 0×32 pixels"):
        decode(data[:26] + bytes(2) + data[28:])


def test_a_tiff_may_not_have_strips_without_end() -> None:
    tags: dict[int, int | list[int]] = {
        256: 1,
        257: 9,
        258: 8,
        259: 1,
        262: 1,
        277: 1,
        278: 1,
        273: [16] * 200_000,
    }
    with pytest.raises(DamagedImage):
        decode(tiff(tags, bytes(9)))


def test_a_tiff_may_not_have_channels_without_end(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="more than 6 channels"):
        decode(tiff_of(np.zeros((2, 2), np.uint8), tag_277=1000))
    assert not caplog.records


@pytest.mark.parametrize("name", ["jpeg-progressive", "jpeg-grey-progressive"])
def test_a_jpeg_may_not_have_scans_without_end(name: str) -> None:
    data = samples()[name].data
    last = data[data.rindex(b"\xff\xda") : -2]
    decode(data[:-2] + last * (MAX_SCANS // 2) + data[-2:])
    with pytest.raises(ImageTooLarge, match="a JPEG of more than 100 scans"):
        decode(data[:-2] + last * MAX_SCANS + data[-2:])


@pytest.mark.parametrize("segment", [b"\xff\x01", b"\xff\xdb\x00\x02", b"\xff\xfe\x00\x02"])
def test_a_jpeg_may_not_have_segments_without_end(segment: bytes) -> None:
    data = samples()["jpeg"].data
    decode(data[:2] + segment * (MAX_SEGMENTS // 2) + data[2:])
    with pytest.raises(ImageTooLarge, match="a JPEG of more than 10000 segments"):
        decode(data[:2] + segment * MAX_SEGMENTS + data[2:])
