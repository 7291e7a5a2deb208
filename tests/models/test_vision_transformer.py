from __future__ import annotations

import torch

from pawsight.models.vision_transformer import VisionTransformer


def small(**arguments: int) -> VisionTransformer:
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
