"""How weights move: the optimizers, and the learning rate along a training."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import torch
from torch import Tensor, nn

OptimizerName: TypeAlias = Literal["adamw", "sgd", "muon"]
Decay: TypeAlias = Literal["cosine", "linear"]

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
                self._move(group)
        super().step()
        return loss

    def _move(self, group: dict[str, Any]) -> None:
        """Move an orthogonal group, and all matrices of one shape at once."""
        of_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for weight in group["params"]:
            if weight.grad is not None:
                # As it lies in memory: in which order inputs come is all the same.
                ahead = _inputs_last(self._look_ahead(weight, weight.grad))
                of_shape[ahead.flatten(1).shape].append((_inputs_last(weight), ahead))
                weight.grad = None  # which AdamW leaves out
        for shape, moved in of_shape.items():
            matrices = torch.stack([ahead.flatten(1).to(self.dtype) for _, ahead in moved])
            size = 0.2 * max(shape) ** 0.5
            for (weight, _), step in zip(moved, orthogonal(matrices), strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step.view_as(weight), alpha=-group["lr"] * size)

    def _look_ahead(self, weight: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[weight]
        if not state:
            # AdamW looks for the step, where a checkpoint is read.
            state |= {"step": torch.tensor(0.0), "momentum": torch.zeros_like(weight)}
        state["step"] += 1
        average = state["momentum"].lerp_(gradient, 1 - self.momentum)
        return torch.lerp(gradient, average, self.momentum)


def _inputs_last(weight: Tensor) -> Tensor:
    """A view of a convolution's weight as [outputs, height, width, inputs]; others as they are."""
    return weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest matrices with all singular values about 1 (0.7 to 1.2), by Newton and Schulz.

    Five steps with Jordan's coefficients, which make small singular values grow fastest. What a
    step does depends on the products of rows alone: steps are taken with those, which are few, and
    the long rows are multiplied once for several steps. Rounding grows with each, so that in
    bfloat16 the products are made anew after three.

    Args:
        matrices: float [..., M, N], in whose type is multiplied.
    """
    across = matrices.shape[-2] > matrices.shape[-1]
    now = matrices.mT if across else matrices
    now = now / (torch.linalg.matrix_norm(now, keepdim=True) + 1e-7)
    for steps in (3, 2) if now.dtype == torch.bfloat16 else (5,):
        products = now @ now.mT
        together = None
        for step in range(steps):
            factor = (products @ products).mul_(2.0315).sub_(products, alpha=4.7750)
            factor.diagonal(dim1=-2, dim2=-1).add_(3.4445)
            together = factor if together is None else factor @ together
            if step + 1 < steps:
                products = factor @ products @ factor
        now = together @ now
    result: Tensor = now.mT if across else now
    return result


class WarmupDecay:
    """A factor on the learning rate: 0 → 1 in a line, then 1 → 0 along half a cosine or in a line.

    With restarts, each begins another fall from a height of its own (Loshchilov & Hutter 2017,
    *SGDR: stochastic gradient descent with warm restarts*).

    Args:
        steps: Of the whole training.
        warmup: The part of the steps before the first restart that rises, in [0, 1).
        restarts: Pairs (step, height), by step.
        decay: ``cosine`` or ``linear``.
    """

    def __init__(
        self,
        steps: int,
        warmup: float,
        restarts: Sequence[tuple[int, float]] = (),
        decay: Decay = "cosine",
    ) -> None:
        starts = [(0, 1.0), *restarts]
        ends = [start for start, _ in starts[1:]] + [max(steps, 1)]
        self.cycles = [(*start, end) for start, end in zip(starts, ends, strict=True)]
        self.rising = max(round(ends[0] * warmup), 1)
        self.decay = decay

    def __call__(self, step: int) -> float:
        """The factor at a step, in [0, 1]."""
        if step < self.rising:
            return (step + 1) / self.rising
        start, height, end = next(each for each in reversed(self.cycles) if each[0] <= step)
        start = max(start, self.rising)
        done = min((step - start) / max(end - start, 1), 1.0)
        if self.decay == "linear":
            return height * (1 - done)
        return height * 0.5 * (1 + math.cos(math.pi * done))
