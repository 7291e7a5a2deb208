"""A 3×3 convolution that learns fast from small maps."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

_LAID_OUT: Final = ((6, 4), (10, 2))
"""Up to which height and width of a map how many are laid side by side, and below each other."""


class Convolution3x3(nn.Conv2d):
    """A convolution of batches, of stride 1 and without bias, that keeps height and width.

    It computes what torch's does. Only, in training in bfloat16 on a CPU, the gradients of
    its weights are those of a few large maps in which the small ones of a batch lie side by side:
    for each map by itself oneDNN adds to all weights in memory, which takes much longer.

    Args:
        before: Channels of the input.
        after: Channels of the output.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map float [N, before, H, W] to [N, after, H, W]."""
        if _maps_across(*x.shape[2:]) > 1 and self._learns_in_bfloat16(x):
            brief, weight = x.to(torch.bfloat16), self.weight.to(torch.bfloat16)
            convolved: Tensor = _LaidOut.apply(brief, weight)  # type: ignore[no-untyped-call]
            return convolved
        return super().forward(x)

    def _learns_in_bfloat16(self, x: Tensor) -> bool:
        return (
            x.device.type == "cpu"
            and x.dtype in (torch.float32, torch.bfloat16)
            and self.weight.requires_grad
            and torch.is_grad_enabled()
            and torch.is_autocast_enabled("cpu")
            and torch.get_autocast_dtype("cpu") == torch.bfloat16
        )


class _LaidOut(torch.autograd.Function):
    """A 3×3 convolution whose weights' gradients are those of maps side by side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        of_input = None
        if ctx.needs_input_grad[0]:
            of_input = conv2d_input(x.shape, weight, gradient, padding=1)  # type: ignore[no-untyped-call]
        across = _maps_across(*x.shape[2:])
        laid, gradients = _side_by_side(x, across), _side_by_side(gradient, across)
        of_weight = conv2d_weight(laid, weight.shape, gradients, padding=1)  # type: ignore[no-untyped-call]
        return of_input, of_weight


def _maps_across(height: int, width: int) -> int:
    return next((across for side, across in _LAID_OUT if max(height, width) <= side), 1)


def _side_by_side(maps: Tensor, across: int) -> Tensor:
    """Small maps in large ones, ``across`` in a row and a column, with zeros in between.

    Args:
        maps: float [N, C, H, W].
        across: How many in a row, and rows.

    Returns:
        float [⌈N / across²⌉, C, across × (H + 1), across × (W + 1)], channels last in memory.
    """
    count, channels, height, width = maps.shape
    large = -(-count // across**2)
    missing = large * across**2 - count
    rows = maps.permute(0, 2, 3, 1)
    if missing:
        rows = torch.cat([rows, rows.new_zeros(missing, height, width, channels)])
    laid = maps.new_zeros(large, across, height + 1, across, width + 1, channels)
    cells = laid.permute(0, 1, 3, 2, 4, 5)[..., :height, :width, :]
    cells.copy_(rows.reshape(cells.shape))
    shape = (large, across * (height + 1), across * (width + 1), channels)
    return laid.view(shape).permute(0, 3, 1, 2)
