from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from pawsight.models.convolution import Convolution3x3


@pytest.mark.parametrize(
    ("count", "height", "width"), [(33, 3, 3), (7, 6, 5), (9, 10, 8), (2, 12, 12)]
)
def test_it_learns_in_bfloat16_what_a_plain_one_learns(count: int, height: int, width: int) -> None:
    torch.manual_seed(0)
    convolution = Convolution3x3(8, 12)
    maps = torch.randn(count, 8, height, width, requires_grad=True)
    towards = torch.randn(count, 12, height, width)
    with torch.autocast("cpu", torch.bfloat16):
        convolved = convolution(maps)
        plain = F.conv2d(maps, convolution.weight, padding=1)
    learned = torch.autograd.grad(convolved, (convolution.weight, maps), towards.bfloat16())
    expected = torch.autograd.grad(plain, (convolution.weight, maps), towards.bfloat16())
    torch.testing.assert_close(convolved, plain, rtol=0, atol=0)
    for mine, theirs in zip(learned, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-2 * theirs.abs().max().item())


def test_pixels_that_are_not_learned_from_need_no_gradient() -> None:
    convolution = Convolution3x3(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        convolution(torch.randn(2, 4, 5, 5)).sum().backward()
    assert convolution.weight.grad is not None
    assert convolution.weight.grad.dtype == torch.float32
