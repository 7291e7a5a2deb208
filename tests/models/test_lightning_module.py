from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from pawsight.labels import BACKGROUND
from pawsight.models.lightning_module import WarmupCosine, open_set_cross_entropy


def test_without_background_it_is_the_plain_cross_entropy() -> None:
    logits, labels = torch.randn(16, 3), torch.randint(0, 3, (16,))
    for smoothing in (0.0, 0.1):
        torch.testing.assert_close(
            open_set_cross_entropy(logits, labels, label_smoothing=smoothing),
            F.cross_entropy(logits, labels, label_smoothing=smoothing),
        )


def test_the_energy_is_the_log_odds_of_showing_a_class_at_all() -> None:
    logits = torch.tensor([[1.5, -0.5]])
    loss = open_set_cross_entropy(logits, torch.tensor([BACKGROUND]), with_background=True)
    energy = torch.logsumexp(logits, dim=1)
    torch.testing.assert_close(torch.exp(-loss), torch.sigmoid(-energy)[0])


def test_background_pushes_every_logit_down_and_a_class_its_own_up() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    labels = torch.tensor([BACKGROUND, 1])
    open_set_cross_entropy(logits, labels, with_background=True).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[0] > 0).all()
    assert logits.grad[1, 0] > 0 > logits.grad[1, 1]


def test_weights_of_classes_may_stand_for_labels() -> None:
    logits, labels = torch.randn(4, 2), torch.tensor([0, 1, BACKGROUND, 1])
    weights = F.one_hot(torch.tensor([0, 1, 2, 1]), 3).float()
    torch.testing.assert_close(
        open_set_cross_entropy(logits, weights, with_background=True),
        open_set_cross_entropy(logits, labels, with_background=True),
    )


def test_the_rate_rises_in_a_line_and_falls_along_a_cosine() -> None:
    factor = WarmupCosine(steps=100, warmup=0.1)
    assert factor(0) == pytest.approx(0.1)
    assert factor(9) == pytest.approx(1.0)
    assert factor(55) == pytest.approx(0.5)
    assert factor(100) == pytest.approx(0.0)
    assert all(factor(step) >= factor(step + 1) for step in range(10, 99))


def test_a_restart_begins_another_cosine_from_its_own_height() -> None:
    factor = WarmupCosine(steps=200, warmup=0.1, restarts=[(100, 0.4)])
    plain = WarmupCosine(steps=100, warmup=0.1)
    assert [factor(step) for step in range(100)] == [plain(step) for step in range(100)]
    assert factor(100) == pytest.approx(0.4)
    assert factor(150) == pytest.approx(0.2)
    assert factor(200) == pytest.approx(0.0)
