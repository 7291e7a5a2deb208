"""The weights of a SimpleCNN, read back from a model folder, whose norms are folded away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pawsight.models.cnn_model import SimpleCNN
from pawsight.training.folder import ExportError
from pawsight.training.graft import read_head
from pawsight.training.starting_points import StartingPointError, tensors_of


@torch.no_grad()
def load_folded(network: SimpleCNN, file: Path, pixel_values: Tensor) -> None:
    """Fill a network so that it computes what a folder's does, and can learn on.

    An export folds each norm into its convolution. Here a norm stands behind each again: of what it
    sees in some pictures it takes the statistics, and what makes up for them it has as its scale
    and shift. Convolutions are scaled so that what they give has variance 1 (Mishkin and Matas
    2016, *All you need is a good init*): how far a step turns weights depends on their size.

    Args:
        network: Of the same architecture and number of classes.
        file: The ``model.onnx`` of a folder.
        pixel_values: Of the pictures, float32 [N, 3, H, W], normalised.

    Raises:
        StartingPointError: The file holds another architecture, or the network's norms have no
            scale.
    """
    if any(block.pool_first for block in network.blocks):
        raise StartingPointError(
            "a network whose recipe says pool_first has norms without a scale, and cannot do what "
            f"that of {file.parent.name!r} does: leave pool_first out"
        )
    layers, folded = _normalised(network), _convolutions(file)
    shapes = [convolution.weight.shape for convolution, _ in layers]
    try:
        head = read_head(file)
        fits = shapes == [weight.shape for weight, _ in folded]
        fits = fits and network.classifier.weight.shape == head.weight.shape
    except ExportError:
        fits = False
    if not fits:
        raise StartingPointError(
            f"{file.parent.name!r} holds a network of another architecture than the recipe's; the "
            "[network] of the recipe that made it is in its model.json"
        )
    network.classifier.weight.copy_(torch.tensor(head.weight))
    network.classifier.bias.copy_(torch.tensor(head.bias))
    hooks = []
    for (convolution, norm), (weight, bias) in zip(layers, folded, strict=True):
        convolution.weight.copy_(weight)
        hooks.append(convolution.register_forward_hook(_Unfold(norm, bias)))
    network.eval()(pixel_values)
    for hook in hooks:
        hook.remove()


class _Unfold:
    """Called with what a convolution gives: makes it of variance 1, and the norm make up for it."""

    def __init__(self, norm: nn.BatchNorm2d, bias: Tensor) -> None:
        self._norm = norm
        self._bias = bias

    def __call__(self, convolution: nn.Conv2d, _: Any, given: Tensor) -> Tensor:  # noqa: ANN401
        variance, mean = torch.var_mean(given, dim=(0, 2, 3))
        scale = torch.where(variance > 1e-8, variance.sqrt(), torch.ones_like(variance))
        convolution.weight.div_(scale[:, None, None, None])
        norm = self._norm
        norm.running_mean, norm.running_var = mean / scale, variance / scale.square()
        norm.weight.copy_(scale * (norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(self._bias + mean)
        return given / scale[:, None, None]


def _normalised(network: SimpleCNN) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Convolutions with their norms, in the order in which they are asked."""
    modules = [*network.modules()]
    convolutions = [each for each in modules if isinstance(each, nn.Conv2d)]
    norms = [each for each in modules if isinstance(each, nn.BatchNorm2d)]
    return list(zip(convolutions, norms, strict=True))


def _convolutions(file: Path) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of each convolution but the one that makes the class map, in their order."""
    import onnx

    graph = onnx.load(file).graph
    tensors = tensors_of(graph)
    return [
        (torch.from_numpy(tensors[weight].copy()), torch.from_numpy(tensors[bias].copy()))
        for node in graph.node
        if node.op_type == "Conv" and "class_map" not in node.output
        for _, weight, bias in [node.input]
    ]
