"""Who gives hints: networks of which the last feature map is looked at, on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pawsight.images.preprocess import Preprocessing
from pawsight.inference.catalog import resolve
from pawsight.inference.errors import ModelError
from pawsight.training.graft import averaged_over
from pawsight.training.teachers import (
    IMAGENET_TEACHERS,
    as_seen,
    exported,
    load_efficientnet,
    opened,
)

if TYPE_CHECKING:
    from onnx import GraphProto


class HintingNetwork:
    """A network that shows its last feature map.

    Args:
        name: For the log and the file of its hints.
        network: An ONNX model, pixels float32 [N, 3, h, w] in.
        output: The feature map's name in it, float32 [N, D, h', w'] or tokens [N, h' · w', D].
        preprocessing: What the network wants of pictures.
        grid: h' and w' of tokens.
    """

    def __init__(
        self,
        name: str,
        network: bytes,
        output: str,
        preprocessing: Preprocessing,
        grid: tuple[int, int] | None = None,
    ) -> None:
        self.name = name
        self._output = output
        self._preprocessing = preprocessing
        self._grid = grid
        self._session = opened(network)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Features float32 [N, D, h', w'] of pictures float32 [N, 3, H, W] in [0, 1]."""
        pixel_values = as_seen(pictures, self._preprocessing)
        [seen] = self._session.run([self._output], {"pixel_values": pixel_values})
        features = torch.from_numpy(seen)
        if self._grid:
            features = features.transpose(1, 2).reshape(len(pictures), -1, *self._grid)
        return features


def load_hint_teacher(name: str, image_size: int) -> HintingNetwork:
    """Find a teacher by the name that a recipe gives it; it may know any classes.

    Args:
        name: ``efficientnet-lite0``, ``-lite1``, ``-lite2``, or a model as for
            :func:`~pawsight.inference.catalog.resolve`.
        image_size: Of an ImageNet classifier; a model folder has its own.

    Raises:
        StartingPointError: The packages that carry it are not installed.
        ModelError: There is no such model, or no feature map can be found in it.
    """
    if name in IMAGENET_TEACHERS:
        network = exported(_LastMap(load_efficientnet(name)), image_size)
        return HintingNetwork(
            name, network, "output", Preprocessing(height=image_size, width=image_size)
        )
    folder = resolve(name).open()
    network, output, grid = _showing_its_map(folder.network)
    return HintingNetwork(folder.card.name, network, output, folder.card.preprocessing, grid)


class _LastMap(nn.Module):
    def __init__(self, network: Any) -> None:  # noqa: ANN401 - of a package without types
        super().__init__()
        self.network = network

    def forward(self, pixel_values: Tensor) -> Tensor:
        features: Tensor = self.network.extract_features(pixel_values)
        return features


def _showing_its_map(file: Path) -> tuple[bytes, str, tuple[int, int] | None]:
    """An ONNX model with what its ``features`` are the average of as one more output.

    Returns:
        The model, that output's name, and height and width in patches where it is tokens.

    Raises:
        ModelError: They are the average of something else: of a pulled checkpoint's tokens, say, of
            which nothing tells the rows and columns, and one is no place at all.
    """
    import onnx

    graph = (model := onnx.load(file)).graph
    [average] = [node for node in graph.node if "features" in node.output]
    axes = averaged_over(graph, average) if average.op_type == "ReduceMean" else None
    grid = _map_size(graph) if axes == [1] else None
    if axes != [2, 3] and grid is None:
        raise ModelError(
            f"{file.parent.name!r} cannot give hints: its features are no average over places, "
            "as those of a SimpleCNN and a VisionTransformer are"
        )
    output = average.input[0]
    graph.output.append(onnx.ValueInfoProto(name=output))
    return model.SerializeToString(), output, grid


def _map_size(graph: GraphProto) -> tuple[int, int] | None:
    for each in graph.output:
        if each.name == "class_map":
            _, _, height, width = each.type.tensor_type.shape.dim
            return height.dim_value, width.dim_value
    return None
