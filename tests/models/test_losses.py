from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from pawsight.labels import BACKGROUND
from pawsight.models.losses import imitation_loss, open_set_cross_entropy


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


def test_a_label_that_the_network_is_sure_is_wrong_hardly_moves_it() -> None:
    def pull(label_noise: float, doubt: float) -> float:
        logits = torch.tensor([[-doubt, doubt]], requires_grad=True)
        loss = open_set_cross_entropy(logits, torch.tensor([0]), label_noise=label_noise)
        loss.backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        return -float(logits.grad[0, 0])

    assert pull(0.01, 6.0) < 0.01 < 0.99 < pull(0.0, 6.0)
    assert pull(0.01, 0.0) == pytest.approx(pull(0.0, 0.0), rel=0.02)


def test_imitation_is_done_when_the_answers_are_the_same() -> None:
    teacher = torch.randn(8, 5)
    assert imitation_loss(teacher + 3.0, teacher).item() == pytest.approx(0.0, abs=1e-6)
    assert imitation_loss(torch.zeros(8, 5), teacher).item() > 0.1
    confident = torch.tensor([[4.0, 0.0]])
    even = torch.zeros(1, 2)
    # KL(p || 1/2) = log 2 - H(p), with p = sigmoid(4 / T).
    for temperature in (1.0, 2.0):
        share = torch.sigmoid(torch.tensor(4.0 / temperature))
        entropy = -(share * share.log() + (1 - share) * (1 - share).log())
        expected = torch.log(torch.tensor(2.0)) - entropy
        torch.testing.assert_close(imitation_loss(even, confident, temperature), expected)
