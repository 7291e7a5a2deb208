from __future__ import annotations

import pytest
import torch

from pawsight.models.cnn_model import SimpleCNN
from pawsight.models.lightning_module import CatDogClassifier
from pawsight.models.optimizers import Muon, WarmupDecay, orthogonal


def test_the_rate_rises_in_a_line_and_falls_along_a_cosine() -> None:
    factor = WarmupDecay(steps=100, warmup=0.1)
    assert factor(0) == pytest.approx(0.1)
    assert factor(9) == pytest.approx(1.0)
    assert factor(55) == pytest.approx(0.5)
    assert factor(100) == pytest.approx(0.0)
    assert all(factor(step) >= factor(step + 1) for step in range(10, 99))


def test_the_rate_can_fall_in_a_line() -> None:
    factor = WarmupDecay(steps=100, warmup=0.1, restarts=[(60, 0.5)], decay="linear")
    assert factor(5) == pytest.approx(1.0)
    assert [factor(step) for step in (33, 60, 80, 100)] == pytest.approx([0.5, 0.5, 0.25, 0.0])


def test_a_restart_begins_another_cosine_from_its_own_height() -> None:
    factor = WarmupDecay(steps=200, warmup=0.1, restarts=[(100, 0.4)])
    plain = WarmupDecay(steps=100, warmup=0.1)
    assert [factor(step) for step in range(100)] == [plain(step) for step in range(100)]
    assert factor(100) == pytest.approx(0.4)
    assert factor(150) == pytest.approx(0.2)
    assert factor(200) == pytest.approx(0.0)


def test_in_bfloat16_even_directions_of_a_hundredth_are_made_as_large() -> None:
    torch.manual_seed(0)
    left, sizes, right = torch.linalg.svd(torch.randn(64, 320), full_matrices=False)
    sizes = torch.logspace(0, -2, len(sizes))
    made = orthogonal((left @ torch.diag(sizes) @ right).bfloat16()).float()
    in_its_directions = left.T @ made @ right.T
    assert ((in_its_directions.diagonal() > 0.6) & (in_its_directions.diagonal() < 1.3)).all()
    rest = in_its_directions - torch.diag(in_its_directions.diagonal())
    assert rest.norm() < 0.1 * in_its_directions.norm()


@pytest.mark.parametrize("shape", [(24, 90), (90, 24)])
def test_what_is_made_orthogonal_keeps_its_directions_and_loses_their_sizes(
    shape: tuple[int, int],
) -> None:
    left, sizes, right = torch.linalg.svd(torch.randn(*shape), full_matrices=False)
    made = orthogonal(left @ torch.diag(sizes * 100) @ right)
    in_its_directions = left.T @ made @ right.T
    assert ((in_its_directions.diagonal() > 0.5) & (in_its_directions.diagonal() < 1.4)).all()
    rest = in_its_directions - torch.diag(in_its_directions.diagonal())
    assert rest.abs().max() < 1e-3


def test_muon_moves_inner_weights_as_far_as_adamw_would_and_leaves_colours_and_classes_to_it() -> (
    None
):
    network = SimpleCNN(2, (8, 8, 8), (1, 1, 1), stem_width=8)
    classifier = CatDogClassifier(network, learning_rate=0.1, weight_decay=0.0, total_steps=10)
    groups = classifier._parameter_groups()
    assert not any("orthogonal" in group for group in groups)
    classifier.optimizer = "muon"
    groups = classifier._parameter_groups()
    inner = {id(p) for group in groups if group.get("orthogonal") for p in group["params"]}
    assert id(network.get_parameter("stem.0.weight")) not in inner
    assert id(network.classifier.weight) not in inner
    widen = network.get_parameter("blocks.0.widen.0.weight")
    assert id(widen) in inner
    before = widen.detach().clone()
    bias = network.classifier.bias.detach().clone()
    optimizer = Muon(groups, lr=0.1)
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    moved = (widen - before).square().mean().sqrt()
    assert 0.7 < moved / (0.1 * 0.2) < 1.2
    torch.testing.assert_close((network.classifier.bias - bias).abs(), torch.full((2,), 0.1))


def test_each_of_muons_weights_follows_its_own_gradient() -> None:
    torch.manual_seed(0)
    shapes = [(6, 4, 3, 3), (6, 4, 3, 3), (40, 2, 3, 3), (5, 8)]  # the third has more rows
    weights = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for weight in weights[:3]:
        weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    optimizer = Muon([{"params": weights, "orthogonal": True, "weight_decay": 0.0}], lr=0.1)
    gradients = [torch.randn(shape) for shape in shapes]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    optimizer.step()
    for weight, gradient in zip(weights, gradients, strict=True):
        matrix = gradient.flatten(1)
        step = orthogonal(matrix).view_as(weight) * 0.2 * max(matrix.shape) ** 0.5
        torch.testing.assert_close(weight.detach(), -0.1 * step, rtol=1e-3, atol=1e-4)


def test_muon_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    def run(stop: bool) -> torch.Tensor:
        weight = torch.nn.Parameter(torch.ones(4, 6))
        optimizer = Muon([{"params": [weight], "orthogonal": True}], lr=0.01)
        for step in range(6):
            if stop and step == 3:
                state = optimizer.state_dict()
                optimizer = Muon([{"params": [weight], "orthogonal": True}], lr=0.01)
                optimizer.load_state_dict(state)
            weight.grad = torch.sin(torch.arange(24.0) * (step + 1)).view(4, 6)
            optimizer.step()
        return weight.detach()

    torch.testing.assert_close(run(True), run(False), rtol=0, atol=0)
