"""Decoded pictures in memory, and the order in which training sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Sampler

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Pixels, decode_image
from pawsight.images.files import named
from pawsight.images.preprocess import Preprocessing, resize

_AT_ONCE = 512


class RawBatch(NamedTuple):
    """Pictures as they wait in memory, of which nothing is copied before it has to be.

    Attributes:
        pixels: uint8 [M, H, W, 3], among which those of the batch are.
        labels: int64 [N].
        rows: Their places in the split, int64 [N].
        at: Their places in ``pixels``, int64 [N]; None where there are no others, in their order.
    """

    pixels: Tensor
    labels: Tensor
    rows: Tensor
    at: Tensor | None

    def copied(self) -> RawBatch:
        """The same with no other pictures among its own, uint8 [N, H, W, 3]."""
        return self if self.at is None else self._replace(pixels=self.pixels[self.at], at=None)


class Pictures(Dataset[RawBatch]):
    """Decoded pictures in memory, handed out by whole batches.

    Args:
        pixels: uint8 [N, H, W, 3].
        labels: int64 [N].
        times: How often each of them comes, N numbers; by default once.
    """

    def __init__(
        self, pixels: Pixels, labels: NDArray[np.int64], times: Sequence[int] | None = None
    ) -> None:
        self.pixels = torch.from_numpy(pixels)
        self.labels = torch.from_numpy(labels)
        self.rows = torch.arange(len(labels))
        if times is not None:
            self.rows = self.rows.repeat_interleave(torch.as_tensor(times, dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> RawBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> RawBatch:
        """One batch, instead of N items that are then stacked."""
        rows = self.rows[torch.as_tensor(indices)]
        return RawBatch(self.pixels, self.labels[rows], rows, rows)


class EpochOrder(Sampler[list[int]]):
    """Batches of indices, in an order that the seed and the epoch alone decide."""

    def __init__(self, length: int, batch_size: int, seed: int) -> None:
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.position = 0

    def __len__(self) -> int:
        return max(self.length // self.batch_size, 1)

    def __iter__(self) -> Iterator[list[int]]:
        # The place moves on before a batch is handed out and not after the last one: whoever
        # counts batches stops asking there.
        if self.position == len(self):
            self.epoch += 1
            self.position = 0
        generator = torch.Generator().manual_seed(self.seed * 7919 + self.epoch)
        order = torch.randperm(self.length, generator=generator).tolist()
        while self.position < len(self):
            start = self.position * self.batch_size
            self.position += 1
            yield order[start : start + self.batch_size]


class ResumableLoader(DataLoader[RawBatch]):
    """A loader whose place in the epoch goes into Lightning's checkpoints and comes back."""

    def __init__(self, pictures: Pictures, batch_size: int, seed: int) -> None:
        self.order = EpochOrder(len(pictures), batch_size, seed)
        super().__init__(pictures, batch_sampler=self.order, collate_fn=as_it_is)

    def state_dict(self) -> dict[str, Any]:
        """Epoch, and batches handed out in it."""
        return {"epoch": self.order.epoch, "position": self.order.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken."""
        self.order.epoch = int(state["epoch"])
        self.order.position = int(state["position"])


def load_pictures(paths: Sequence[str], how: Preprocessing) -> Pixels:
    """Decode and resize many files on all processors.

    Returns:
        uint8 [N, height, width, 3], in the order of the paths.

    Raises:
        ImageError: One of them cannot be decoded, which is named; :mod:`pawsight.data.table` finds
            those before.
    """
    pixels = np.empty((len(paths), how.height, how.width, 3), dtype=np.uint8)

    def load(index: int) -> None:
        data = Path(paths[index]).read_bytes()
        with named(paths[index]):
            pixels[index] = resize(decode_image(data, at_least=how.decode_size), how)

    with ThreadPoolExecutor(usable_cpus()) as pool:
        list(pool.map(load, range(len(paths))))
    return pixels


def shrink(pixels: Tensor, side: int) -> Tensor:
    """Pictures uint8 [N, H, W, 3] as uint8 [N, side, side, 3], antialiased."""
    small = torch.empty(len(pixels), side, side, 3, dtype=torch.uint8)
    for start in range(0, len(pixels), _AT_ONCE):
        some = pixels[start : start + _AT_ONCE].permute(0, 3, 1, 2)
        resized = F.interpolate(some, (side, side), mode="bilinear", antialias=True)
        small[start : start + _AT_ONCE] = resized.permute(0, 2, 3, 1)
    return small


def as_it_is(batch: Any) -> Any:  # noqa: ANN401 - whole batches come where torch expects lists
    """For torch's loaders, in place of stacking what is a batch already."""
    return batch
