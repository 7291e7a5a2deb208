"""What was compiled resizes as Pillow does, to the bit, and nothing else is ever used."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pawsight.images import resample as module
from pawsight.images.resample import Box, is_compiled, resample
from tests.compiled import needs_library_of, proved_anew

FILTERS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
ROOT = Path(__file__).parents[2]

compiled, fresh = needs_library_of(module), proved_anew(module)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise of black and white, in which every rounding shows."""
    values = np.random.default_rng(seed).choice([0, 255, 254, 1], (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def same(image: Image.Image, size: tuple[int, int], filter_: Image.Resampling, box: Box) -> bool:
    expected = np.asarray(image.resize(size, filter_, box))
    return np.array_equal(resample(image, size, filter_, box), expected)


@st.composite
def parts(draw: st.DrawFn, length: int) -> tuple[float, float]:
    low = draw(st.floats(0, length - 1))
    high = draw(st.floats(low + 0.5, length))
    return draw(st.sampled_from([(0.0, float(length)), (low, high)]))


@compiled
def test_it_is_used() -> None:
    assert is_compiled()


@compiled
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_part_of_any_picture_to_any_size(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300))
    size = data.draw(st.tuples(st.integers(1, 130), st.integers(1, 130)))
    left, right = data.draw(parts(width))
    top, bottom = data.draw(parts(height))
    image, filter_ = picture(width, height), data.draw(st.sampled_from(FILTERS))
    assert same(image, size, filter_, (left, top, right, bottom))


@compiled
@pytest.mark.parametrize(
    "size", [(500, 375), (375, 500), (224, 224), (100, 480), (3000, 12), (8, 8)]
)
def test_photographs_as_people_send_them(size: tuple[int, int]) -> None:
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    for filter_ in FILTERS:
        assert same(picture(*size), (224, 224), filter_, whole)


def test_a_picture_that_pillow_keeps_in_several_parts() -> None:
    image = Image.new("RGB", (2600, 2200), "teal")
    image.paste(picture(300, 300), (1000, 2000))
    with pytest.raises(ValueError, match="contiguous"):
        image.__arrow_c_array__()
    assert same(image, (224, 224), Image.Resampling.BILINEAR, (0.0, 0.0, 2600.0, 2200.0))


def test_without_a_compiler_pillow_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIBRARY", Path("nowhere.so"))
    assert not is_compiled()
    assert same(picture(90, 70), (64, 64), Image.Resampling.BILINEAR, (0.0, 0.0, 90.0, 70.0))


def test_a_file_that_is_no_library_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "libresample.so"
    broken.write_bytes(b"\x7fELF")
    monkeypatch.setattr(module, "_LIBRARY", broken)
    assert same(picture(90, 70), (64, 64), Image.Resampling.BILINEAR, (0.0, 0.0, 90.0, 70.0))


@compiled
def test_one_that_is_not_what_pillow_does_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another version of Pillow resizes in another order."""
    monkeypatch.setattr(module, "_down_first", lambda size, wanted: False)
    assert not is_compiled()
    assert same(picture(90, 400), (64, 64), Image.Resampling.BILINEAR, (0.0, 0.0, 90.0, 400.0))


def test_a_wheel_is_built_without_a_compiler_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CC": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=True,
    )
    for instead in ("Pillow resizes", "torch crops"):
        assert instead in done.stdout + done.stderr
    [wheel] = tmp_path.glob("pawsight-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert not [name for name in opened.namelist() if name.endswith(".so")]
