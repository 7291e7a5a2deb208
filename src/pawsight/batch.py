"""Batch: what the data gives and a network learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Batch(NamedTuple):
    """Pictures with all that a loss needs.

    Attributes:
        pixel_values: float32 [N, 3, H, W], normalised.
        labels: int64 [N], or class weights float [N, C + 1] with the background's last.
        answers: Each teacher's logits, float32 [N, K]; none in validation and test.
        hints: What each teacher sees at the places of a grid over the picture, float32
            [N, K, g, g]; none in validation and test.
    """

    pixel_values: Tensor
    labels: Tensor
    answers: tuple[Tensor, ...] = ()
    hints: tuple[Tensor, ...] = ()
