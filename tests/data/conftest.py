"""Pictures made for tests of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _photograph(seed: int, size: tuple[int, int] = (96, 72)) -> Image.Image:
    blotches = np.random.default_rng(seed).integers(20, 200, (16, 16, 3), dtype=np.uint8)
    return Image.fromarray(blotches).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def photograph() -> Callable[..., Image.Image]:
    """Soft blotches, others for every seed: as unlike each other as photographs are."""
    return _photograph


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, int], Path]:
    """Writes the photograph of a seed under ``tmp_path``, as the name's ending says."""

    def write(name: str, seed: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _photograph(seed).save(path, quality=90)
        return path

    return write
