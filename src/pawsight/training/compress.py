"""Weights in 8 bits: a quarter of the file, the same arithmetic in float32 on every processor.

Only what is stored is rounded. ONNX Runtime turns the integers back into float32 when it loads the
network, so that answers depend neither on a processor's integer instructions nor on what else is in
the batch (as those of dynamic quantisation do, whose scales are taken over the whole batch).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_LARGEST: Final = 127
_LEAST: Final = 4096
"""Smaller matrices are not worth it."""


def round_weights(network: nn.Module) -> None:
    """Round the large weights of linear layers and convolutions to what 8 bits can hold, in place.

    Each output's weights are multiples of their largest magnitude / 127 (symmetric, per channel).
    Batch normalisation that is folded into a convolution later scales whole channels, and leaves
    them such multiples.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and module.weight.numel() >= _LEAST:
            weight = module.weight.detach()
            scale = _scale(weight.abs().flatten(1).amax(dim=1))
            scale = scale.view(-1, *[1] * (weight.ndim - 1))
            module.weight.data = (weight / scale).round() * scale


def _scale(largest: Tensor) -> Tensor:
    return torch.where(largest > 0, largest / _LARGEST, torch.ones_like(largest))


def compress(file: Path) -> None:
    """Store the large weights of an ONNX file, rounded as by :func:`round_weights`, as int8.

    Args:
        file: Is replaced. Its weights are those of ``MatMul``, float32 [inputs, outputs], and of
            ``Conv``, float32 [outputs, inputs, h, w].
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(file)
    graph = model.graph
    output_axis = {
        name: 1 if node.op_type == "MatMul" else 0
        for node in graph.node
        if node.op_type in ("MatMul", "Conv")
        for name in node.input[:2]
    }
    nodes = []
    for tensor in [each for each in graph.initializer if each.name in output_axis]:
        weights = numpy_helper.to_array(tensor)
        if weights.ndim not in (2, 4) or weights.size < _LEAST:
            continue
        integers, scale = _integers(weights, output_axis[tensor.name])
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.extend(
            [
                numpy_helper.from_array(integers, f"{name}.int8"),
                numpy_helper.from_array(scale, f"{name}.scale"),
            ]
        )
        nodes += [
            helper.make_node("Cast", [f"{name}.int8"], [f"{name}.wide"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name]),
        ]
    for node in reversed(nodes):
        graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def _integers(
    weights: NDArray[np.float32], output_axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    others = tuple(axis for axis in range(weights.ndim) if axis != output_axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / np.float32(_LARGEST), np.float32(1)).astype(np.float32)
    return np.rint(weights / scale).astype(np.int8), scale
