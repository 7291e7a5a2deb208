from __future__ import annotations

import pytest

from pawsight.models.lightning_module import CatDogClassifier
from pawsight.models.vision_transformer import VisionTransformer


def test_what_is_nearer_to_the_pixels_learns_slower() -> None:
    network = VisionTransformer(
        width=16, depth=2, heads=2, patch_size=8, position_size=32, frozen_layers=1
    )
    classifier = CatDogClassifier(network, learning_rate=1e-3, layer_decay=0.1, total_steps=10)
    groups = classifier.configure_optimizers()["optimizer"].param_groups
    rates = {id(p): group["initial_lr"] for group in groups for p in group["params"]}
    assert rates[id(network.classifier.weight)] == pytest.approx(1e-3)
    upper = network.get_parameter("backbone.encoder.layer.1.norm1.weight")
    assert rates[id(upper)] == pytest.approx(1e-3 * 0.1 ** (1 / 3))
    assert id(network.get_parameter("backbone.encoder.layer.0.norm1.weight")) not in rates
