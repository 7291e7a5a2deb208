"""What was compiled crops as torch does, and nothing else is ever used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pawsight.data import crops as module
from pawsight.data.crops import crop, is_compiled
from tests.compiled import needs_library_of, proved_anew

compiled, fresh = needs_library_of(module), proved_anew(module)


def pictures(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.empty(shape).uniform_(-1, 1, generator=torch.Generator().manual_seed(seed))


@compiled
def test_it_is_used() -> None:
    assert is_compiled()


@compiled
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_crop_of_any_picture_at_any_size_in_any_colours(data: st.DataObject) -> None:
    height, width, size = (data.draw(st.integers(2, 90)) for _ in range(3))
    seed = data.draw(st.integers(0, 10**6))
    pixels = pictures(4, height, width, seed)
    rows = torch.tensor(data.draw(st.lists(st.integers(0, 3), min_size=7, max_size=7)))
    crops, colours = drawn(7, 2, 3, seed=seed), drawn(7, 3, 4, seed=seed + 1)
    seen = crop(pixels, size, crops, colours=colours, rows=rows)
    expected = module._by_torch(pixels, size, crops, colours, rows)
    torch.testing.assert_close(seen, expected, atol=2e-4, rtol=0)


@compiled
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_maps_that_lead_nowhere_stay_within_the_picture(wrong: float) -> None:
    crops = drawn(3, 2, 3)
    crops[1, 0, 2] = crops[2, 1, 0] = wrong
    seen = crop(pictures(3, 20, 30), 16, crops)
    assert seen.isfinite().all()
    assert seen.min() >= 0
    assert seen.max() <= 1


@compiled
def test_threads_share_the_work_and_change_nothing() -> None:
    pixels, crops, before = pictures(9, 30, 20), drawn(9, 2, 3), torch.get_num_threads()
    seen = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        seen.append(crop(pixels, 24, crops))
    torch.set_num_threads(before)
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])


def test_pictures_that_lie_otherwise_in_memory() -> None:
    pixels, crops = pictures(3, 20, 30), drawn(3, 2, 3)
    turned = pixels.transpose(1, 2).contiguous().transpose(1, 2)
    assert not turned.is_contiguous()
    assert torch.equal(crop(turned, 16, crops), crop(pixels, 16, crops))


def test_a_picture_of_one_line() -> None:
    lines = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 1, 9, 3)
    seen = crop(lines, 8, torch.eye(2, 3).expand(2, 2, 3))
    torch.testing.assert_close(seen, torch.tensor([0.0, 1.0])[:, None, None, None].expand_as(seen))


def test_numbers_may_be_of_any_type() -> None:
    pixels, crops, colours = pictures(3, 20, 30), drawn(3, 2, 3), drawn(3, 3, 4)
    seen = crop(pixels, 16, crops, colours=colours, rows=torch.tensor([2, 0, 1]))
    again = crop(
        pixels, 16, crops.double(), colours=colours.double(), rows=torch.tensor([2, 0, 1]).int()
    )
    assert torch.equal(again, seen)
    torch.set_default_dtype(torch.float64)
    try:
        again = crop(pixels, 16, crops, colours=colours, rows=torch.tensor([2, 0, 1]))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(again, seen)


@pytest.mark.parametrize("found", [True, False])
def test_it_is_the_same_where_everything_else_is_computed_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    if not found:
        monkeypatch.setattr(module, "_LIBRARY", Path("nowhere.so"))
    pixels, crops, colours = pictures(3, 20, 30), drawn(3, 2, 3), drawn(3, 3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert is_compiled() is (found and module._LIBRARY.exists())
        seen = crop(pixels, 16, crops, colours=colours)
    assert seen.dtype is torch.float32
    assert torch.equal(crop(pixels, 16, crops, colours=colours), seen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"crops": drawn(2, 2, 3)},
        {"crops": drawn(3, 3, 3)},
        {"colours": drawn(1, 3, 4)},
        {"colours": drawn(3, 3, 3)},
        {"rows": torch.arange(2)},
        {"pixels": torch.zeros(3, 20, 30, 4, dtype=torch.uint8)},
        {"pixels": torch.zeros(3, 20, 30, 3)},
        {"size": 0},
    ],
)
def test_what_does_not_go_together_is_said(wrong: dict[str, Any]) -> None:
    asked = {"pixels": pictures(3, 20, 30), "size": 16, "crops": drawn(3, 2, 3), **wrong}
    with pytest.raises(ValueError, match="pictures are to be uint8"):
        crop(**asked)


@compiled
def test_a_process_that_is_forked_off_crops_too() -> None:
    code = """
import os, sys, torch
from pawsight.data.crops import crop
torch.set_num_threads(1)
pixels = torch.zeros(4, 20, 30, 3, dtype=torch.uint8)
crops = torch.eye(2, 3).expand(4, 2, 3)
crop(pixels, 16, crops)
child = os.fork()
if not child:
    crop(pixels, 16, crops)
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 7


@pytest.mark.parametrize("rows", [[0, 3], [-1, 0]])
def test_rows_that_are_not_there_are_said(rows: list[int]) -> None:
    with pytest.raises(IndexError, match="of 3 pictures"):
        crop(pictures(3, 20, 30), 16, drawn(2, 2, 3), rows=torch.tensor(rows))


def test_no_pictures_give_no_crops() -> None:
    none = crop(pictures(3, 20, 30), 16, drawn(0, 2, 3), rows=torch.arange(0))
    assert none.shape == (0, 3, 16, 16)


def test_without_a_compiler_torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, crops, rows = pictures(3, 20, 30), drawn(2, 2, 3), torch.tensor([2, 0])
    seen = crop(pixels, 16, crops, rows=rows)
    module._proved.cache_clear()
    monkeypatch.setattr(module, "_LIBRARY", Path("nowhere.so"))
    assert not is_compiled()
    torch.testing.assert_close(crop(pixels, 16, crops, rows=rows), seen, atol=1e-4, rtol=0)


def test_a_file_that_is_no_library_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "libcrop.so"
    broken.write_bytes(b"\x7fELF")
    monkeypatch.setattr(module, "_LIBRARY", broken)
    assert not is_compiled()
    assert crop(pictures(3, 20, 30), 16, drawn(3, 2, 3)).shape == (3, 3, 16, 16)


@compiled
def test_one_that_is_not_what_torch_does_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    by_torch = module._by_torch
    monkeypatch.setattr(module, "_by_torch", lambda *asked: by_torch(*asked) * 0.9)
    assert not is_compiled()
