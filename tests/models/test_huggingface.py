"""Small checkpoints of the real classes, saved to a folder as the hub would hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    Dinov2Config,
    Dinov2ForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from pawsight.images.preprocess import Preprocessing
from pawsight.models.errors import CheckpointError
from pawsight.models.huggingface import HuggingFaceViT

SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
}
OWN = {0: "cat", 1: "dog", 2: "toaster"}


def make_checkpoint(folder: Path, names: dict[int, str] | None = OWN) -> Path:
    """A tiny ViT with random weights; without names it has ImageNet's 1000 classes."""
    torch.manual_seed(0)
    labels: dict[str, Any] = (
        {"num_labels": 1000}
        if names is None
        else {"id2label": names, "label2id": {name: key for key, name in names.items()}}
    )
    config = ViTConfig(**SMALL, intermediate_size=32, patch_size=8, initializer_range=0.5, **labels)
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_the_share_of_cat_and_dog_is_the_checkpoints_own(tmp_path: Path) -> None:
    network = HuggingFaceViT.from_pretrained(make_checkpoint(tmp_path, names=None))
    pictures = torch.randn(4, 3, 32, 32)
    with torch.inference_mode():
        shares = network.checkpoint(pixel_values=pictures).logits.softmax(dim=1)
        logits = network(pictures)
    cat, dog = shares[:, 281:286].sum(dim=1), shares[:, 151:269].sum(dim=1)
    assert network.labels == ("cat", "dog")
    torch.testing.assert_close(logits.softmax(dim=1)[:, 0], cat / (cat + dog))
    torch.testing.assert_close(torch.sigmoid(torch.logsumexp(logits, dim=1)), cat + dog)


def test_a_checkpoint_with_cats_and_dogs_of_its_own_is_used_directly(tmp_path: Path) -> None:
    network = HuggingFaceViT.from_pretrained(
        make_checkpoint(tmp_path, {0: "Dogs", 1: "LION", 2: "Siamese cat, Siamese"})
    )
    with torch.inference_mode():
        pictures = torch.randn(2, 3, 32, 32)
        own = network.checkpoint(pixel_values=pictures).logits
        torch.testing.assert_close(network(pictures), own[:, [2, 0]] - own[:, [1]])


def test_two_classes_alone_have_their_logits_handed_on(tmp_path: Path) -> None:
    network = HuggingFaceViT.from_pretrained(make_checkpoint(tmp_path, {0: "dog", 1: "cat"}))
    with torch.inference_mode():
        pictures = torch.randn(2, 3, 32, 32)
        own = network.checkpoint(pixel_values=pictures).logits
        torch.testing.assert_close(network(pictures), own.flip(1))


@pytest.mark.parametrize(
    "checkpoint",
    [
        Dinov2ForImageClassification(Dinov2Config(**SMALL, patch_size=8, id2label=OWN)),
        SwinForImageClassification(
            SwinConfig(
                image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2],
                window_size=4, id2label=OWN,
            )
        ),
        ConvNextForImageClassification(
            ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, id2label=OWN)
        ),
    ],
    ids=["dinov2", "swin", "convnext"],
)  # fmt: skip
def test_other_families_answer_too(checkpoint: torch.nn.Module) -> None:
    network = HuggingFaceViT(checkpoint.eval(), Preprocessing(height=32, width=32))
    with torch.inference_mode():
        logits, features = network.activations(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 2)
    assert features.ndim == 2


def test_pickled_weights_are_refused_with_the_way_out(tmp_path: Path) -> None:
    make_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"they are pickled.*save_pretrained"):
        HuggingFaceViT.from_pretrained(tmp_path)


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"it has no config\.json"):
        HuggingFaceViT.from_pretrained(tmp_path)


def test_weights_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    weights = make_checkpoint(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="missing or cut off"):
        HuggingFaceViT.from_pretrained(tmp_path)
