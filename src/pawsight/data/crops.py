"""Crops of pictures by affine maps, recoloured on the way.

By the processor's wide instructions where they were compiled. Where they were not
(``hatch_build.py`` needs a C compiler), and on other devices, torch does the same.
``benchmarks/training.py`` says what is gained.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

_LIBRARY: Final = Path(__file__).with_name("libcrop.so")
_NARROW: Final = 2  # pixels, of which the library takes no fewer


def crop(
    pixels: Tensor,
    size: int,
    crops: Tensor,
    *,
    colours: Tensor | None = None,
    rows: Tensor | None = None,
) -> Tensor:
    """Cut crops out of pictures.

    Args:
        pixels: uint8 [M, H, W, 3], on any device, where the work is done.
        size: Height and width of the result.
        crops: Affine maps from the result's coordinates to the picture's, both in [-1, 1], float
            [N, 2, 3]. What lies beyond a picture is its reflection.
        colours: What becomes of a crop's colours, float [N, 3, 4]: a matrix and, last, which part
            of the mean of all the crop's values is added. None leaves them.
        rows: Which pictures, int64 [N], on the processor; by default all, once.

    Returns:
        float32 [N, 3, size, size] in [0, 1].

    Raises:
        IndexError: There is no such row.
    """
    if rows is not None and len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(pixels):
        raise IndexError(f"rows are to be those of {len(pixels)} pictures")
    if colours is None:
        colours = torch.eye(3, 4).expand(len(crops), 3, 4)
    wide_enough = min(pixels.shape[1:3]) >= _NARROW
    if pixels.device.type == "cpu" and wide_enough and (native := _proved()):
        return native(pixels, size, crops, colours, rows)
    return _by_torch(pixels, size, crops, colours, rows)


def is_compiled() -> bool:
    """Whether there is a library, and it does what torch does."""
    return _proved() is not None


_Crop: TypeAlias = Callable[[Tensor, int, Tensor, Tensor, Tensor | None], Tensor]


def _by_torch(
    pixels: Tensor, size: int, crops: Tensor, colours: Tensor, rows: Tensor | None
) -> Tensor:
    chosen = pixels if rows is None else pixels[rows.to(pixels.device)]
    scaled = chosen.permute(0, 3, 1, 2).to(torch.float32).div_(255.0)
    grid = F.affine_grid(crops.to(pixels.device), [len(crops), 3, size, size], align_corners=False)
    cropped = F.grid_sample(scaled, grid, padding_mode="reflection", align_corners=False)
    colours = colours.to(pixels.device)
    shift = colours[:, :, 3:] * cropped.mean(dim=(1, 2, 3))[:, None, None]
    recoloured = torch.baddbmm(shift, colours[:, :, :3], cropped.flatten(2))
    return recoloured.clamp_(0.0, 1.0).view_as(cropped)


@cache
def _proved() -> _Crop | None:
    """What the library does, where there is one, and it does what torch does."""
    native = _loaded()
    if native is None:
        return None
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, 19, 31, 3), dtype=torch.uint8, generator=generator)
    crops = torch.empty(2, 2, 3).uniform_(-1, 1, generator=generator)
    colours = torch.empty(2, 3, 4).uniform_(-1, 1, generator=generator)
    rows = torch.tensor([2, 0])
    asked = (noise, 23, crops, colours, rows)
    alike = torch.allclose(native(*asked), _by_torch(*asked), atol=1e-4, rtol=0)
    return native if alike else None


def _loaded() -> _Crop | None:
    try:
        function = ctypes.CDLL(str(_LIBRARY)).pawsight_crop
    except OSError:
        return None
    address, number = ctypes.c_void_p, ctypes.c_int32
    function.argtypes = [
        *(address, number, number),
        *(address, number),
        *(address, address, number, address),
    ]
    function.restype = ctypes.c_int

    def native(
        pixels: Tensor, size: int, crops: Tensor, colours: Tensor, rows: Tensor | None
    ) -> Tensor:
        pixels = pixels.contiguous()
        crops, colours = (each.to(torch.float32).contiguous() for each in (crops, colours))
        rows = torch.arange(len(pixels)) if rows is None else rows.contiguous()
        out = torch.empty(len(rows), size, size, 3)

        def some(part: range) -> None:
            of = slice(part.start, part.stop)
            failed = function(
                pixels.data_ptr(),
                pixels.shape[1],
                pixels.shape[2],
                rows[of].data_ptr(),
                len(part),
                crops[of].data_ptr(),
                colours[of].data_ptr(),
                size,
                out[of].data_ptr(),
            )
            if failed:
                raise MemoryError

        threads = torch.get_num_threads()
        list(_pool(threads).map(some, _parts(len(rows), threads)))
        return out.permute(0, 3, 1, 2)

    return native


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "crop")


def _parts(count: int, number: int) -> list[range]:
    """Ranges of about the same length, together all of ``count``."""
    edges = [count * part // number for part in range(number + 1)]
    return [range(low, high) for low, high in pairwise(edges) if low < high]
