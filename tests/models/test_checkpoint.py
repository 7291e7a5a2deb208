"""What a checkpoint's JSON files say is what transformers does with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pawsight.images.preprocess import preprocess
from pawsight.models.checkpoint import Checkpoint, read_preprocessing
from pawsight.models.errors import CheckpointError
from tests.images.pictures import rgb, scene

# As the hub has them: old ones with a number for a size, newer ones with a table.
ON_THE_HUB: dict[str, tuple[str, dict[str, Any]]] = {
    "google/vit-base-patch16-224": ("vit", {"size": 224, "image_mean": [0.5] * 3}),
    "facebook/deit-base-distilled-patch16-224": (
        "deit",
        {
            "feature_extractor_type": "DeiTFeatureExtractor",
            "size": 256,
            "crop_size": 224,
            "do_center_crop": True,
            "resample": 3,
            "image_mean": [0.485, 0.456, 0.406],
            "image_std": [0.229, 0.224, 0.225],
        },
    ),
    "facebook/dinov2-small-imagenet1k-1-layer": (
        "dinov2",
        {
            "image_processor_type": "BitImageProcessor",
            "size": {"shortest_edge": 256},
            "crop_size": {"height": 224, "width": 224},
            "do_center_crop": True,
            "image_mean": [0.485, 0.456, 0.406],
            "image_std": [0.229, 0.224, 0.225],
            "rescale_factor": 0.00392156862745098,
        },
    ),
    "microsoft/swin-tiny-patch4-window7-224": (
        "swin",
        {"feature_extractor_type": "ViTFeatureExtractor", "size": 224, "resample": 3},
    ),
    "facebook/convnext-tiny-224": (
        "convnext",
        {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224, "crop_pct": 0.875},
    ),
    "facebook/convnext-base-384": (
        "convnext",
        {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
    ),
    "by default, ViT": ("vit", {}),
    "by default, DeiT": ("deit", {}),
    "by default, DINOv2": ("dinov2", {}),
    "by default, ConvNeXt": ("convnext", {}),
}
GEOMETRY = {
    "google/vit-base-patch16-224": ("stretch", 224, 1.0, "bilinear"),
    "facebook/deit-base-distilled-patch16-224": ("stretch", 224, 0.875, "bicubic"),
    "facebook/dinov2-small-imagenet1k-1-layer": ("crop", 224, 0.875, "bicubic"),
    "microsoft/swin-tiny-patch4-window7-224": ("stretch", 224, 1.0, "bicubic"),
    "facebook/convnext-tiny-224": ("crop", 224, 0.875, "bicubic"),
    "facebook/convnext-base-384": ("stretch", 384, 1.0, "bicubic"),
}


@pytest.mark.parametrize("name", list(GEOMETRY))
def test_preprocessing_is_read_from_the_checkpoint(name: str) -> None:
    model_type, config = ON_THE_HUB[name]
    how = read_preprocessing(config, model_type)
    assert (how.geometry, how.height, how.crop_fraction, how.resample) == GEOMETRY[name]


@pytest.mark.parametrize("name", list(ON_THE_HUB))
@pytest.mark.parametrize("size", [(500, 374), (310, 420)])
def test_pictures_reach_the_network_as_transformers_would_show_them(
    name: str, size: tuple[int, int]
) -> None:
    transformers = pytest.importorskip("transformers")
    model_type, config = ON_THE_HUB[name]
    kinds = {"vit": "ViT", "deit": "DeiT", "dinov2": "Bit", "swin": "ViT", "convnext": "ConvNext"}
    known = {key: value for key, value in config.items() if not key.endswith("_type")}
    theirs = getattr(transformers, f"{kinds[model_type]}ImageProcessorPil")(**known)
    pixels = rgb(scene(*size))
    expected = np.asarray(theirs(pixels, return_tensors="np")["pixel_values"][0])
    how = read_preprocessing(config, model_type)
    ours = preprocess(pixels, how)
    assert ours.shape == expected.shape
    # One grey level of rounding where they resize and crop; half a pixel where a margin is odd.
    difference = np.abs(ours - expected) * np.array(how.std)[:, None, None] * 255
    assert difference.mean() < 0.6
    assert np.quantile(difference, 0.99) <= 4


@pytest.mark.parametrize(
    ("model_type", "config", "words"),
    [
        ("levit", {"image_processor_type": "LevitImageProcessor"}, "LevitImageProcessor is not"),
        ("mobilenet_v2", {}, "of model type 'mobilenet_v2' is not known here"),
        ("vit", {"size": {"longest_edge": 224}}, "resizes to .*longest_edge.* not known here"),
        ("vit", {"size": {"shortest_edge": 224}}, "which is not known here"),
        ("vit", {"do_resize": False}, "resizes its pictures in a way that is not known"),
        ("vit", {"resample": 0}, "resizes its pictures in a way that is not known"),
        ("vit", {"rescale_factor": 1 / 127.5}, "in a way that is not known"),
        ("vit", {"do_center_crop": True}, "which is not known here"),
        ("deit", {"size": 192}, "resizes to 192 pixels and crops to 224, which would be padded"),
        ("dinov2", {"crop_size": {"height": 224, "width": 200}}, "which is not known here"),
        ("vit", {"size": 4}, "height: must be 8 or more"),
        ("vit", {"image_std": [0, 0, 0]}, "std"),
    ],
)
def test_preprocessing_that_is_not_known_is_refused(
    model_type: str, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(CheckpointError, match=words):
        read_preprocessing(config, model_type)


def test_pictures_that_are_not_normalised_are_left_so() -> None:
    how = read_preprocessing({"do_normalize": False}, "vit")
    assert (how.mean, how.std) == ((0, 0, 0), (1, 1, 1))


def write(folder: Path, config: object, processor: object = None) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor or {}))
    return folder


def test_a_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    names = {"0": "dog", "1": "toaster", "2": "cat", "3": "teapot"}
    write(tmp_path, {"model_type": "vit", "architectures": ["ViTx"], "id2label": names})
    found = Checkpoint.read(tmp_path)
    assert (found.architecture, found.labels, found.classes) == ("ViTx", ("cat", "dog"), 4)
    assert (found.groups, found.rest, found.onnx) == ({"cat": [2], "dog": [0]}, [1, 3], None)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "vit"}, "its classes are: LABEL_0, LABEL_1"),
        ({"id2label": {"0": "cat", "2": "dog"}}, "id2label leaves numbers out"),
        ({"id2label": ["cat", "dog"]}, "id2label is no table"),
        ({"id2label": {"zero": "cat"}}, "id2label is no table"),
        (["cat", "dog"], "config.json is no JSON object"),
    ],
)
def test_a_configuration_that_says_nothing_of_use_is_refused(
    tmp_path: Path, config: object, words: str
) -> None:
    with pytest.raises(CheckpointError, match=words):
        Checkpoint.read(write(tmp_path, config))


def test_a_folder_without_its_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"it has no config\.json"):
        Checkpoint.read(tmp_path)
    (tmp_path / "config.json").write_text('{"id2label": {"0": "c')
    with pytest.raises(CheckpointError, match=r"config\.json is no JSON"):
        Checkpoint.read(tmp_path)
    write(tmp_path, {"id2label": {"0": "cat", "1": "dog"}})
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"it has no preprocessor_config\.json"):
        Checkpoint.read(tmp_path)
