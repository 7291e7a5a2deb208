"""What a checkpoint's JSON files say of it, without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from pawsight.images.preprocess import Preprocessing
from pawsight.invalid import in_words
from pawsight.models.class_groups import class_groups
from pawsight.models.errors import CheckpointError

CONFIG_FILE: Final = "config.json"
PROCESSOR_FILE: Final = "preprocessor_config.json"
DESCRIPTION: Final = (CONFIG_FILE, PROCESSOR_FILE)
ONNX_FILES: Final = ("onnx/model.onnx", "model.onnx")
"""Where a checkpoint may have its network in ONNX form, as optimum and transformers.js have it."""
SAFETENSORS: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
)

_RESAMPLE: Final = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
_HALF: Final = {"image_mean": (0.5, 0.5, 0.5), "image_std": (0.5, 0.5, 0.5)}
_SQUARE: Final = {"height": 224, "width": 224}
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "ViT": {"size": _SQUARE, "resample": 2, **_HALF},
    "DeiT": {
        "size": {"height": 256, "width": 256},
        "do_center_crop": True,
        "crop_size": _SQUARE,
        "resample": 3,
        **_HALF,
    },
    "Bit": {
        "size": {"shortest_edge": 224},
        "do_center_crop": True,
        "crop_size": _SQUARE,
        "resample": 3,
        "image_mean": (0.48145466, 0.4578275, 0.40821073),
        "image_std": (0.26862954, 0.26130258, 0.27577711),
    },
    "ConvNext": {"size": {"shortest_edge": 384}, "crop_pct": 224 / 256, "resample": 3, **_HALF},
}
"""What transformers' image processors do where ``preprocessor_config.json`` is silent."""
_PROCESSOR_OF_MODEL: Final = {
    "vit": "ViT",
    "swin": "ViT",
    "swinv2": "ViT",
    "deit": "DeiT",
    "dinov2": "Bit",
    "convnext": "ConvNext",
    "convnextv2": "ConvNext",
}


@dataclass(frozen=True)
class Checkpoint:
    """A folder with an image-classification checkpoint whose classes are cats, dogs and others.

    Attributes:
        folder: Where it lies.
        name: What refusals call it.
        architecture: Name of its class in transformers.
        groups: ``cat`` and ``dog`` → numbers of its classes.
        classes: How many classes it has.
        preprocessing: How it wants its pictures.
    """

    folder: Path
    name: str
    architecture: str
    groups: Mapping[str, list[int]]
    classes: int
    preprocessing: Preprocessing

    @classmethod
    def read(cls, folder: Path, name: str | None = None) -> Checkpoint:
        """Read ``config.json`` and ``preprocessor_config.json``; the weights are not looked at.

        Args:
            folder: Where they lie.
            name: What a refusal calls it; by default the folder's name.

        Raises:
            CheckpointError: A file is missing or is no JSON object, or the classes or the
                preprocessing are none that can be used.
        """
        config, processor = (_read_json(folder / file, name or folder.name) for file in DESCRIPTION)
        names = _class_names(config)
        architectures = config.get("architectures") or ["unknown architecture"]
        return cls(
            folder=folder,
            name=name or folder.name,
            architecture=str(architectures[0]),
            groups=class_groups(names),
            classes=len(names),
            preprocessing=read_preprocessing(processor, str(config.get("model_type"))),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups, sorted."""
        return tuple(sorted(self.groups))

    @property
    def rest(self) -> list[int]:
        """Numbers of the classes that are in no group."""
        grouped = {number for group in self.groups.values() for number in group}
        return [number for number in range(self.classes) if number not in grouped]

    @property
    def onnx(self) -> Path | None:
        """Its network in ONNX form, if it has one."""
        there = (self.folder / name for name in ONNX_FILES)
        return next((file for file in there if file.is_file()), None)

    def check_safetensors(self) -> None:
        """Make sure that there are weights that can be read without running anything.

        Raises:
            CheckpointError: There are none; says how to convert pickled ones.
        """
        if not any(self.folder.glob("*.safetensors")):
            raise CheckpointError(
                f"{self.name!r} has no *.safetensors: its weights are missing, or they are "
                "pickled, which could run anything when loaded. Convert them where you trust them: "
                "AutoModelForImageClassification.from_pretrained(FOLDER).save_pretrained(FOLDER)"
            )


def read_preprocessing(config: Mapping[str, Any], model_type: str = "") -> Preprocessing:
    """Translate an image processor's configuration.

    A crop of an odd margin lies half a pixel beside that of transformers, which rounds.

    Args:
        config: The content of ``preprocessor_config.json``.
        model_type: The checkpoint's, which says the processor where the configuration does not.

    Raises:
        CheckpointError: It is of a processor that is not known here, or does something that
            :class:`Preprocessing` does not.
    """
    try:
        return _preprocessing(config, model_type)
    except (AttributeError, KeyError, TypeError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"the checkpoint's {PROCESSOR_FILE} is not of the form that its processor writes"
        ) from error


def _preprocessing(config: Mapping[str, Any], model_type: str) -> Preprocessing:
    kind = _processor(config, model_type)
    config = _DEFAULTS[kind] | {key: value for key, value in config.items() if value is not None}
    rescale = config.get("rescale_factor", 1 / 255)
    if (
        not config.get("do_resize", True)
        or not config.get("do_rescale", True)
        or abs(rescale * 255 - 1) > 1e-3
        or config.get("do_pad", False)
        or config["resample"] not in _RESAMPLE
    ):
        raise CheckpointError("the checkpoint resizes its pictures in a way that is not known here")
    plain = not config.get("do_normalize", True)
    try:
        return Preprocessing.model_validate(
            _geometry(kind, config)
            | {
                "resample": _RESAMPLE[config["resample"]],
                "mean": (0.0, 0.0, 0.0) if plain else config["image_mean"],
                "std": (1.0, 1.0, 1.0) if plain else config["image_std"],
            }
        )
    except ValidationError as error:
        raise CheckpointError(f"the checkpoint's {PROCESSOR_FILE}: {in_words(error)}") from error


def _processor(config: Mapping[str, Any], model_type: str) -> str:
    said = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    name = re.sub(r"(ImageProcessor(Fast|Pil)?|FeatureExtractor)$", "", said)
    kind = name or _PROCESSOR_OF_MODEL.get(model_type, "")
    if kind not in _DEFAULTS:
        raise CheckpointError(
            f"the checkpoint's image processor {said or 'of model type ' + repr(model_type)} is "
            f"not known here; known are those of {', '.join(_DEFAULTS)}"
        )
    return kind


def _geometry(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Preprocessing that say which part of a picture is resized to what."""
    by_edge = set(_DEFAULTS[kind]["size"]) == {"shortest_edge"}
    size, crop = _sides(config["size"], by_edge), _sides(config.get("crop_size"), False)
    cropped = bool(config.get("do_center_crop"))
    if kind == "ConvNext" and set(size) == {"shortest_edge"} and not cropped:
        side = size["shortest_edge"]
        if side >= 384:  # it squashes from there on
            return {"height": side, "width": side}
        return _centre(side, side, int(side / config["crop_pct"])) | {"geometry": "crop"}
    whole = cropped and set(crop) == {"height", "width"}
    if set(size) == {"shortest_edge"} and whole and crop["height"] == crop["width"]:
        return _centre(**crop, before=size["shortest_edge"]) | {"geometry": "crop"}
    if set(size) == {"height", "width"} and not cropped:
        return dict(size)
    if (
        set(size) == {"height", "width"}
        and whole
        and crop["height"] * size["width"] == crop["width"] * size["height"]
    ):
        return _centre(**crop, before=size["height"])
    raise CheckpointError(
        f"the checkpoint resizes to {size} and crops to {crop}, which is not known here"
    )


def _sides(size: int | Mapping[str, int | None] | None, by_edge: bool) -> dict[str, int]:
    """A size as a dictionary; older configurations have a number alone."""
    if isinstance(size, int):
        return {"shortest_edge": size} if by_edge else {"height": size, "width": size}
    return {key: value for key, value in (size or {}).items() if value is not None}


def _centre(height: int, width: int, before: int) -> dict[str, Any]:
    """The centre, height × width, of what was resized to a height or shorter side before."""
    if height > before:
        raise CheckpointError(
            f"the checkpoint resizes to {before} pixels and crops to {height}, which would be "
            "padded; that is not known here"
        )
    return {"height": height, "width": width, "crop_fraction": height / before}


def _class_names(config: Mapping[str, Any]) -> dict[int, str]:
    names = config.get("id2label")
    try:
        if names is None:  # transformers leaves out what it would call the classes itself
            return {number: f"LABEL_{number}" for number in range(int(config.get("num_labels", 2)))}
        found = {int(number): str(name) for number, name in names.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint's {CONFIG_FILE}: id2label is no table") from error
    if set(found) != set(range(len(found))):
        raise CheckpointError(f"the checkpoint's {CONFIG_FILE}: id2label leaves numbers out")
    return found


def _read_json(file: Path, checkpoint: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{checkpoint!r} is no image-classification checkpoint: it has no {file.name}"
        ) from error
    except ValueError as error:
        raise CheckpointError(f"the checkpoint's {file.name} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"the checkpoint's {file.name} is no JSON object")
    return content
