"""The weights of a SimpleCNN, read back from a model folder, whose norms are folded away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pawsight.models.cnn_model import SimpleCNN
from pawsight.training.folder import ExportError
from pawsight.training.graft import read_head
from pawsight.training.head import Head
from pawsight.training.starting_points import StartingPointError, tensors_of


@dataclass(frozen=True, eq=False)
class Folded:
    """What a model folder has of a SimpleCNN.

    Attributes:
        network: Of the same architecture and number of classes, to be filled.
        convolutions: Weight and bias of each, with what was its norm folded in, in their order.
        head: The classifier.
    """

    network: SimpleCNN
    convolutions: list[tuple[Tensor, Tensor]]
    head: Head

    @classmethod
    def of(cls, network: SimpleCNN, file: Path) -> Folded:
        """Read it, and see that it fits.

        Args:
            network: To be filled.
            file: The ``model.onnx`` of a folder.

        Raises:
            StartingPointError: The file holds another architecture.
        """
        expected = [convolution.weight.shape for convolution, _ in _normalised(network)]
        try:
            found = cls(network, _convolutions(file), read_head(file))
        except ExportError:
            found = None
        if (
            found is None
            or expected != [weight.shape for weight, _ in found.convolutions]
            or network.classifier.weight.shape != found.head.weight.shape
        ):
            raise StartingPointError(
                f"{file.parent.name!r} holds a network of another architecture than the recipe's"
            )
        return found

    @torch.no_grad()
    def fill(self, pixel_values: Tensor) -> None:
        """Make the network, whose norms have a scale, compute what the folder's does.

        A norm stands behind each convolution again: of what it sees in some pictures it takes the
        statistics, and what makes up for them it has as its scale and shift. Convolutions are
        scaled so that what they give has variance 1 (Mishkin and Matas 2016, *All you need is a
        good init*): how far a step turns weights depends on their size.

        Args:
            pixel_values: Of the pictures, float32 [N, 3, H, W], normalised.
        """
        network = self.network
        network.classifier.weight.copy_(torch.tensor(self.head.weight))
        network.classifier.bias.copy_(torch.tensor(self.head.bias))
        hooks = []
        for (convolution, norm), (weight, bias) in zip(
            _normalised(network), self.convolutions, strict=True
        ):
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
    """Weight and bias of each convolution but the one that makes the class map, in their order.

    Raises:
        ExportError: They are not such as an exported SimpleCNN has.
    """
    import onnx

    graph = onnx.load(file).graph
    tensors = tensors_of(graph)
    nodes = [
        [*node.input]
        for node in graph.node
        if node.op_type == "Conv" and "class_map" not in node.output
    ]
    if not all(len(inputs) == 3 and {*inputs[1:]} <= {*tensors} for inputs in nodes):
        raise ExportError("a convolution has no bias, or none that is stored")
    return [
        (torch.tensor(tensors[weight]), torch.tensor(tensors[bias])) for _, weight, bias in nodes
    ]
