from __future__ import annotations

import pytest
import torch

from pawsight.models.cnn_model import Residual, SimpleCNN


def test_logits_for_any_number_of_classes_and_any_size() -> None:
    network = SimpleCNN(num_classes=5, widths=(8, 12, 16), residuals=(1, 0, 2), stem_width=4).eval()
    for side in (32, 100, 256):
        assert network(torch.randn(3, 3, side, side)).shape == (3, 5)


def test_a_logit_is_exactly_a_sum_over_places() -> None:
    torch.manual_seed(0)
    network = SimpleCNN(num_classes=3).eval()
    pictures = torch.randn(2, 3, 128, 128)
    logits, features, class_map = network.activations(pictures)
    torch.testing.assert_close(class_map.mean(dim=(2, 3)), logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(network.classifier(features), logits)
    torch.testing.assert_close(network(pictures), logits)


def test_each_block_halves_the_map() -> None:
    network = SimpleCNN().eval()
    assert network.activations(torch.randn(1, 3, 128, 128)).class_map.shape == (1, 2, 4, 4)


def test_a_residual_pair_begins_as_the_identity() -> None:
    x = torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(Residual(8).eval()(x), x)


def test_one_picture_is_answered_alike_alone_and_among_others() -> None:
    torch.manual_seed(0)
    network = SimpleCNN().eval()
    batch = torch.randn(8, 3, 64, 64)
    torch.testing.assert_close(network(batch)[3:4], network(batch[3:4]), atol=1e-4, rtol=0)


def test_pooling_first_is_a_matter_of_training_alone() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(16, 3, 64, 64)
    early = SimpleCNN(widths=(8, 8, 8), stem_width=8, pool_first=True)
    late = SimpleCNN(widths=(8, 8, 8), stem_width=8)
    late.load_state_dict(early.state_dict())
    early.train()(pictures).sum().backward()
    late.train()(pictures)
    norms = [network.get_submodule("blocks.0.widen.1") for network in (early, late)]
    # The largest of four are more than all four in the mean.
    assert (norms[0].get_buffer("running_mean") > norms[1].get_buffer("running_mean")).all()
    assert (
        norms[0].get_parameter("weight").grad is None
    )  # below 0, it would not go together with max pooling

    late.load_state_dict(early.state_dict())
    torch.testing.assert_close(early.eval()(pictures), late.eval()(pictures))


def test_in_the_mirror_it_sees_the_same_the_other_way_round() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(3, 3, 64, 96)
    network = SimpleCNN(widths=(8, 8, 8), stem_width=8).eval()
    alone = network(pictures)
    network.mirrored = True
    both, _, class_map = network.activations(pictures)
    torch.testing.assert_close(both, (alone + _alone(network, pictures.flip(3))) / 2)
    again = network.activations(pictures.flip(3))
    torch.testing.assert_close(again.logits, both)
    torch.testing.assert_close(again.class_map, class_map.flip(3))
    assert network.train()(pictures).shape == (3, 2)


def _alone(network: SimpleCNN, pictures: torch.Tensor) -> torch.Tensor:
    network.mirrored = False
    logits: torch.Tensor = network(pictures)
    network.mirrored = True
    return logits


def test_four_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="three blocks: got 4 widths"):
        SimpleCNN(widths=(8, 8, 8, 8))
