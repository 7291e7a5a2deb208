"""How weights move: the optimizers, and the learning rate along a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import torch
from torch import Tensor, nn

OptimizerName: TypeAlias = Literal["adamw", "sgd", "muon"]

_ORTHOGONAL: Final = "orthogonal"


def build_optimizer(
    name: OptimizerName,
    groups: list[dict[str, Any]],
    learning_rate: float,
    dtype: torch.dtype = torch.float32,
) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019), SGD with Nesterov's momentum 0.9, or :class:`Muon`.

    Args:
        name: Which of them.
        groups: Of parameters, as torch's optimizers take them; of :class:`Muon`, as it takes them.
        learning_rate: Of groups that have none of their own.
        dtype: In which :class:`Muon` multiplies matrices.
    """
    if name == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True)
    if name == "muon":
        return Muon(groups, lr=learning_rate, dtype=dtype)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))


def inner_weights(network: nn.Module) -> set[Tensor]:
    """The weights of all convolutions and linear layers but the first and the last of them.

    Those are what :class:`Muon` is for: not pixels' colours, nor classes.
    """
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    return {each.weight for each in layers[1:-1]}


class Muon(torch.optim.AdamW):
    """Momentum that is made orthogonal before it is followed; AdamW for all else.

    Every direction that a weight matrix could move in is moved in alike, so that the few which the
    gradients agree on do not drown the rest (Jordan et al. 2024, *Muon: an optimizer for hidden
    layers in neural networks*). A convolution counts as the matrix [outputs, inputs × height ×
    width]. Steps are as large as AdamW's, so that one learning rate serves both (Liu et al. 2025,
    *Muon is scalable for LLM training*). torch's own Muon takes matrices alone, and nothing beside.

    Args:
        groups: Of parameters; those with ``orthogonal=True`` have two or more dimensions.
        lr: Learning rate of groups that have none of their own.
        momentum: Of the running average of gradients, which Nesterov's step looks ahead of.
        dtype: In which matrices are multiplied; bfloat16 is precise enough.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        lr: float,
        *,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        for group in groups:
            group.setdefault(_ORTHOGONAL, False)
        super().__init__(groups, lr=lr, betas=(0.9, 0.98))
        self.momentum = momentum
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # noqa: ANN401 - what the closure returns
        """Move all weights once; gradients of orthogonal groups are used up."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group[_ORTHOGONAL]:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._move(weight, weight.grad, group["lr"], group["weight_decay"])
                        weight.grad = None  # which AdamW leaves out
        super().step()
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            # AdamW looks for the step, where a checkpoint is read.
            state |= {"step": torch.tensor(0.0), "momentum": torch.zeros_like(weight)}
        state["step"] += 1
        average = state["momentum"].lerp_(gradient, 1 - self.momentum)
        ahead = torch.lerp(gradient, average, self.momentum).flatten(1)
        size = 0.2 * max(ahead.shape) ** 0.5
        weight.mul_(1 - rate * decay)
        weight.add_(orthogonal(ahead, self.dtype).view_as(weight), alpha=-rate * size)


def orthogonal(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The nearest matrix with all singular values about 1 (0.7 to 1.2), by Newton and Schulz.

    Five steps with Jordan's coefficients, which make small singular values grow fastest.

    Args:
        matrix: float [M, N].
        dtype: To multiply in.
    """
    across = matrix.shape[0] > matrix.shape[1]
    now = (matrix.T if across else matrix).to(dtype)
    now = now / (now.norm() + 1e-7)
    for _ in range(5):
        square = now @ now.T
        factor = torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315)
        now = torch.addmm(now, factor, now, beta=3.4445)
    return (now.T if across else now).to(matrix.dtype)


class WarmupCosine:
    """A factor on the learning rate: 0 → 1 in a line, then 1 → 0 along half a cosine.

    With restarts, each begins another half cosine from a height of its own (Loshchilov & Hutter
    2017, *SGDR: stochastic gradient descent with warm restarts*).

    Args:
        steps: Of the whole training.
        warmup: The part of the steps before the first restart that rises, in [0, 1).
        restarts: Pairs (step, height), by step.
    """

    def __init__(
        self, steps: int, warmup: float, restarts: Sequence[tuple[int, float]] = ()
    ) -> None:
        starts = [(0, 1.0), *restarts]
        ends = [start for start, _ in starts[1:]] + [max(steps, 1)]
        self.cycles = [(*start, end) for start, end in zip(starts, ends, strict=True)]
        self.rising = max(round(ends[0] * warmup), 1)

    def __call__(self, step: int) -> float:
        """The factor at a step, in [0, 1]."""
        if step < self.rising:
            return (step + 1) / self.rising
        start, height, end = next(each for each in reversed(self.cycles) if each[0] <= step)
        start = max(start, self.rising)
        done = (step - start) / max(end - start, 1)
        return height * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
