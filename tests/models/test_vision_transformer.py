from __future__ import annotations

import copy
from typing import Any

import torch

from pawsight.models.vision_transformer import VisionTransformer


def small(**arguments: Any) -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(
        width=16, depth=2, heads=2, patch_size=8, position_size=32, **arguments
    )


def test_a_logit_is_exactly_a_sum_over_places() -> None:
    network = small(num_classes=3).eval()
    pictures = torch.randn(2, 3, 48, 64)
    with torch.inference_mode():
        logits, features, class_map = network.activations(pictures)
        assert class_map.shape == (2, 3, 6, 8)
        torch.testing.assert_close(class_map.mean(dim=(2, 3)), logits)
        torch.testing.assert_close(network(pictures), logits)
        torch.testing.assert_close(network.classifier(features), logits)


def test_a_place_of_the_map_is_a_place_of_the_picture() -> None:
    """What changes in one corner is felt most in the same corner of the map."""
    network = small().eval()
    plain = torch.zeros(1, 3, 32, 32)
    marked = plain.clone()
    marked[:, :, :8, 24:] = 3.0
    with torch.inference_mode():
        change = (network.activations(marked)[2] - network.activations(plain)[2]).abs()[0, 0]
    assert divmod(int(change.argmax()), 4) == (0, 3)


def test_half_of_the_patches_are_left_out_in_training_alone() -> None:
    network = small()
    network.patch_dropout = 0.5
    pictures = torch.randn(3, 3, 32, 32)
    counts: list[int] = []
    network.backbone.encoder.register_forward_hook(
        lambda _module, inputs, _output: counts.append(inputs[0].shape[1])
    )
    with torch.inference_mode():
        first, second = network.train()(pictures), network(pictures)
        assert not torch.equal(first, second)  # others each time
        torch.testing.assert_close(network.eval()(pictures), network(pictures))
    assert counts == [1 + 8, 1 + 8, 1 + 16, 1 + 16]


def test_frozen_layers_stay_as_they_are() -> None:
    network = small(frozen_layers=1).train()
    before = copy.deepcopy(network.state_dict())
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1.0)
    network(torch.randn(2, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    changed = {
        name for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert not any("embeddings" in name or "layer.0." in name for name in changed)
    assert any("layer.1." in name for name in changed)
    assert "classifier.weight" in changed


def test_heights_rise_from_the_pixels_to_the_classifier() -> None:
    network = small()
    heights = {name: network.height_of(name) for name, _ in network.named_parameters()}
    assert heights["backbone.embeddings.cls_token"] == 0
    lower, upper = (heights[f"backbone.encoder.layer.{number}.norm1.weight"] for number in (0, 1))
    assert 0 < lower < upper < 1
    assert heights["classifier.weight"] == heights["backbone.layernorm.weight"] == 1
