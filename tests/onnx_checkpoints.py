"""Small checkpoints that have their network in ONNX form, as optimum writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
COLOURS = {"dog": (-9.0, -9.0, 9.0), "cat": (9.0, -9.0, -9.0)}
"""Red is a cat, blue a dog; any other class takes what is green."""


def make_onnx_checkpoint(
    folder: Path,
    names: Sequence[str] = ("dog", "toaster", "cat"),
    *,
    file: str = "onnx/model.onnx",
    opset: int = 17,
    batch: str | int = "batch_size",
    outputs: int | None = None,
    beside: bool = False,
) -> Path:
    """Write a checkpoint's folder.

    Args:
        folder: Made if it is not there.
        names: Of its classes, in their order.
        file: Where the network lies.
        opset: Of the network.
        batch: Its first axis.
        outputs: How many logits it gives; by default as many as there are names.
        beside: Whether the weights are in a file of their own, as of large networks.
    """
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "id2label": {str(number): name for number, name in enumerate(names)},
    }
    processor = {
        "image_processor_type": "ViTFeatureExtractor",
        "size": SIDE,
        "image_mean": [0, 0, 0],
        "image_std": [1, 1, 1],
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    weights = np.array([COLOURS.get(name, (0, 9, 0)) for name in names], dtype=np.float32)
    network = _network(weights[:outputs], opset, batch)
    onnx.save_model(
        network,
        folder / file,
        save_as_external_data=beside,
        location=Path(file).name + "_data",
        size_threshold=0,
    )
    return folder


def _network(weights: np.ndarray, opset: int, batch: str | int) -> onnx.ModelProto:
    """The mean colour, times a matrix."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["colour"]),
            helper.make_node("MatMul", ["colour", "weights"], ["logits"]),
        ],
        "colours",
        [value("pixel_values", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [value("logits", TensorProto.FLOAT, [batch, len(weights)])],
        [numpy_helper.from_array(np.ascontiguousarray(weights.T), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model
