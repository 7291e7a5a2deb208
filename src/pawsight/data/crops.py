"""Crops of pictures by affine maps, recoloured on the way.

By the processor's wide instructions where they were compiled. Where they were not
(``hatch_build.py`` needs a C compiler), and on other devices, torch does the same.
``benchmarks/training.py`` says what is gained.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pawsight.compiled import ADDRESS, NUMBER, function_of

_LIBRARY: Final = Path(__file__).with_name("libcrop.so")
_NARROW: Final = 2  # pixels, of which the library takes no fewer,
_LARGE: Final = 2**31  # and bytes of a picture, of which it takes no more


@torch.no_grad()
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
        size: Height and width of the result, 1 or more.
        crops: Affine maps from the result's coordinates to the picture's, both in [-1, 1], float
            [N, 2, 3]. What lies beyond a picture is its reflection, as far as that reaches.
        colours: What becomes of a crop's colours, float [N, 3, 4]: a matrix and, last, which part
            of the mean of all the crop's values is added. None leaves them.
        rows: Which pictures, int64 [N]; by default all, once.

    Returns:
        float32 [N, 3, size, size] in [0, 1].

    Raises:
        IndexError: There is no such row.
        ValueError: The shapes or types are others.
    """
    device, count = pixels.device, len(pixels) if rows is None else len(rows)
    if colours is None:
        colours = torch.eye(3, 4, device=device).expand(count, 3, 4)
    shapes = (pixels.shape[3:], crops.shape, colours.shape)
    if shapes != ((3,), (count, 2, 3), (count, 3, 4)) or pixels.dtype != torch.uint8 or size < 1:
        raise ValueError(
            f"{count} pictures are to be uint8 [M, H, W, 3], with crops [{count}, 2, 3] and "
            f"colours [{count}, 3, 4]: got {pixels.dtype} {list(pixels.shape)}, "
            f"{list(crops.shape)} and {list(colours.shape)}, at size {size}"
        )
    if not count:
        return torch.empty(0, 3, size, size, dtype=torch.float32, device=device)
    crops, colours = crops.to(device, torch.float32), colours.to(device, torch.float32)
    if rows is not None:
        rows = rows.to(device, torch.int64)
        if not 0 <= int(rows.min()) <= int(rows.max()) < len(pixels):
            raise IndexError(f"rows are to be those of {len(pixels)} pictures")
    fits = min(pixels.shape[1:3]) >= _NARROW and pixels[0].numel() < _LARGE
    native = _proved() if fits and device.type == "cpu" else None
    return (native or _by_torch)(pixels, size, crops, colours, rows)


def is_compiled() -> bool:
    """Whether there is a library, and it does what torch does."""
    return _proved() is not None


_Crop: TypeAlias = Callable[[Tensor, int, Tensor, Tensor, Tensor | None], Tensor]


def _by_torch(
    pixels: Tensor, size: int, crops: Tensor, colours: Tensor, rows: Tensor | None
) -> Tensor:
    chosen = pixels if rows is None else pixels[rows]
    scaled = chosen.permute(0, 3, 1, 2).to(torch.float32).div_(255.0)
    # Without products of matrices, which may be computed in bfloat16.
    places = (2 * torch.arange(size, dtype=torch.float32, device=pixels.device) + 1) / size - 1
    x, y, shift = crops[:, None, None].unbind(4)
    grid = x * places[:, None] + y * places[:, None, None] + shift
    cropped = F.grid_sample(scaled, grid, padding_mode="reflection", align_corners=False)
    recoloured = colours[:, :, 3:] * cropped.mean(dim=(1, 2, 3))[:, None, None]
    for colour, channel in zip(
        colours[:, :, :3].unbind(2), cropped.flatten(2).unbind(1), strict=True
    ):
        recoloured = torch.addcmul(recoloured, colour[:, :, None], channel[:, None])
    return recoloured.clamp_(0.0, 1.0).view_as(cropped)


@cache
def _proved() -> _Crop | None:
    """What the library does, where there is one, and it does what torch does."""
    native = _loaded()
    if native is None:
        return None
    random = np.random.default_rng(0)
    noise = torch.from_numpy(random.integers(0, 256, (3, 19, 31, 3), np.uint8))
    maps = torch.from_numpy(random.uniform(-1, 1, (2, 18)).astype(np.float32))
    crops, colours = maps[:, :6].view(2, 2, 3), maps[:, 6:].view(2, 3, 4)
    asked = (noise, 23, crops, colours, torch.tensor([2, 0], device="cpu"))
    alike = torch.allclose(native(*asked), _by_torch(*asked), atol=1e-3, rtol=0)
    return native if alike else None


def _loaded() -> _Crop | None:
    function = function_of(
        _LIBRARY,
        "pawsight_crop",
        *(ADDRESS, NUMBER, NUMBER),
        *(ADDRESS, NUMBER),
        *(ADDRESS, ADDRESS, NUMBER, ADDRESS),
    )
    if function is None:
        return None

    def native(
        pixels: Tensor, size: int, crops: Tensor, colours: Tensor, rows: Tensor | None
    ) -> Tensor:
        pixels = pixels.contiguous()
        rows = torch.arange(len(pixels), device="cpu") if rows is None else rows.contiguous()
        out = torch.empty(len(rows), size, size, 3, dtype=torch.float32, device="cpu")

        def some(rows: Tensor, crops: Tensor, colours: Tensor, out: Tensor) -> None:
            function(
                pixels.data_ptr(),
                *pixels.shape[1:3],
                rows.data_ptr(),
                len(rows),
                crops.data_ptr(),
                colours.data_ptr(),
                size,
                out.data_ptr(),
            )

        threads = min(torch.get_num_threads(), len(rows))
        whole = (rows, crops.contiguous(), colours.contiguous(), out)
        # Threads that stayed would be missed by a process that is forked off.
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, *(each.tensor_split(threads) for each in whole)))
        return out.permute(0, 3, 1, 2)

    return native
