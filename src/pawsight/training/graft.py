"""Another linear layer in the place of an exported network's classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pawsight.training.folder import ExportError
from pawsight.training.head import Head

_PREFIX = "head."


def graft(network: Path, head: Head, output: Path) -> None:
    """Write a network that ends in another head on the same features.

    What computed ``logits`` and ``class_map`` alone is left out. Where there was a class map, there
    is one again: the head applied at every place of which the features are the average, so that
    its average over places is the logits.

    Args:
        network: An ONNX file that gives ``features`` [N, D] and, where it has one, ``class_map``
            [N, C, h, w].
        head: Of D features.
        output: The ONNX file to write.

    Raises:
        ExportError: There is a class map, and features are no average over places.
    """
    model = onnx.load(network)
    graph = model.graph
    old = {each.name: each for each in graph.output}
    del graph.output[:]
    graph.output.append(old["features"])
    _prune(graph)
    classes = len(head.bias)
    _keep(graph, "weight", head.weight)
    _keep(graph, "bias", head.bias)
    graph.node.append(
        helper.make_node(
            "Gemm", ["features", f"{_PREFIX}weight", f"{_PREFIX}bias"], ["logits"], transB=1
        )
    )
    batch = old["features"].type.tensor_type.shape.dim[0].dim_param or "batch"
    shape: list[str | int] = [batch, classes]
    graph.output.insert(0, helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape))
    if "class_map" in old:
        sides = [each.dim_value for each in old["class_map"].type.tensor_type.shape.dim[2:]]
        _add_class_map(graph, head, sides)
        graph.output.append(
            helper.make_tensor_value_info("class_map", TensorProto.FLOAT, [*shape, *sides])
        )
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, output)


def read_head(network: Path) -> Head:
    """The linear layer that a network ends in.

    Args:
        network: An ONNX file that gives ``features`` and ``logits``.

    Raises:
        ExportError: What makes logits of features is no linear layer.
    """
    graph = onnx.load(network).graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        transposed = any(each.name == "transB" and each.i for each in node.attribute)
        if "logits" in node.output and node.op_type == "Gemm" and transposed:
            features, *layer = node.input
            if features == "features" and len(layer) == 2 and all(n in tensors for n in layer):
                return Head(tensors[layer[0]], tensors[layer[1]])
    raise ExportError("the network does not end in a linear layer on its features")


def _prune(graph: Any) -> None:  # noqa: ANN401 - onnx's messages are not typed
    """Leave out what no output needs."""
    needed = {each.name for each in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed |= set(node.input)
    tensors = [each for each in graph.initializer if each.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(nodes))
    # A network that was grafted before has tensors of these names, which are no longer needed.
    graph.initializer.extend(tensors)


def _add_class_map(graph: Any, head: Head, sides: list[int]) -> None:  # noqa: ANN401
    [mean] = [node for node in graph.node if "features" in node.output]
    axes = averaged_over(graph, mean) if mean.op_type == "ReduceMean" else None
    classes = len(head.bias)
    if axes == [2, 3]:
        _keep(graph, "places", head.weight[:, :, None, None])
        inputs = [mean.input[0], f"{_PREFIX}places", f"{_PREFIX}bias"]
        graph.node.append(helper.make_node("Conv", inputs, ["class_map"]))
    elif axes == [1]:
        _keep(graph, "places", head.weight.T)
        _keep(graph, "shape", np.array([-1, classes, *sides], dtype=np.int64))
        at_places, with_bias, turned = (f"{_PREFIX}{each}" for each in ("product", "sum", "turned"))
        graph.node.extend(
            [
                helper.make_node("MatMul", [mean.input[0], f"{_PREFIX}places"], [at_places]),
                helper.make_node("Add", [at_places, f"{_PREFIX}bias"], [with_bias]),
                helper.make_node("Transpose", [with_bias], [turned], perm=[0, 2, 1]),
                helper.make_node("Reshape", [turned, f"{_PREFIX}shape"], ["class_map"]),
            ]
        )
    else:
        raise ExportError(
            "the network has a class map, and its features are no average over places: a new "
            "head's map cannot be made"
        )


def averaged_over(graph: Any, mean: Any) -> list[int] | None:  # noqa: ANN401
    """Over which axes a ``ReduceMean`` is taken; an input since opset 18, an attribute before."""
    for attribute in mean.attribute:
        if attribute.name == "axes":
            return sorted(attribute.ints)
    for tensor in graph.initializer:
        if len(mean.input) > 1 and tensor.name == mean.input[1]:
            axes = numpy_helper.to_array(tensor)
            # They may be counted from the end, of [N, D, h, w] or of [N, places, D].
            return sorted(int(axis) % (4 if len(axes) > 1 else 3) for axis in axes)
    return None


def _keep(graph: Any, name: str, values: Any) -> None:  # noqa: ANN401
    graph.initializer.append(
        numpy_helper.from_array(np.ascontiguousarray(values), f"{_PREFIX}{name}")
    )
