from __future__ import annotations

from typing import NoReturn

import pytest
import torch
from torch.nn import functional as F

from pawsight.models import convolution
from pawsight.models.convolution import Convolution3x3


@pytest.mark.parametrize(
    ("count", "height", "width"), [(33, 3, 3), (7, 6, 5), (9, 10, 8), (2, 12, 12)]
)
def test_it_learns_in_bfloat16_what_a_plain_one_learns(count: int, height: int, width: int) -> None:
    torch.manual_seed(0)
    learning = Convolution3x3(8, 12)
    maps = torch.randn(count, 8, height, width, requires_grad=True)
    towards = torch.randn(count, 12, height, width)
    with torch.autocast("cpu", torch.bfloat16):
        convolved = learning(maps)
        plain = F.conv2d(maps, learning.weight, padding=1)
    learned = torch.autograd.grad(convolved, (learning.weight, maps), towards.bfloat16())
    expected = torch.autograd.grad(plain, (learning.weight, maps), towards.bfloat16())
    assert ("LaidOut" in convolved.grad_fn.name()) == (max(height, width) < 12)
    torch.testing.assert_close(convolved, plain, rtol=0, atol=0)
    for mine, theirs in zip(learned, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-2 * theirs.abs().max().item())


def test_what_is_not_learned_from_gets_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> NoReturn:
        raise AssertionError("nobody needs it")

    monkeypatch.setattr(convolution, "conv2d_input", asked)
    learning = Convolution3x3(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        learning(torch.randn(2, 4, 5, 5)).sum().backward()
    assert learning.weight.grad is not None
    assert learning.weight.grad.dtype == torch.float32


def test_in_any_other_precision_it_is_a_plain_one() -> None:
    learning = Convolution3x3(4, 4)
    assert "LaidOut" not in learning(torch.randn(2, 4, 5, 5)).grad_fn.name()
    with torch.autocast("cpu", torch.float16):
        assert "LaidOut" not in learning(torch.randn(2, 4, 5, 5)).grad_fn.name()
