"""What training makes small: losses that know of pictures of none of the classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from pawsight.labels import BACKGROUND


def open_set_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    *,
    label_smoothing: float = 0.0,
    label_noise: float = 0.0,
    with_background: bool = False,
) -> Tensor:
    """Cross-entropy that can also learn what is none of the classes.

    With background, an imagined class "none of them" has the constant logit 0. A picture of
    background pushes every logit down, one of a class pushes its own up, and ``logsumexp(logits)``
    (the energy of Liu et al. 2020, *Energy-based out-of-distribution detection*) becomes the
    log-odds that a picture shows any of the classes at all. The network itself has C outputs.

    Args:
        logits: float [N, C].
        labels: int64 [N], in [0, C) or :data:`~pawsight.labels.BACKGROUND`; or float [N, C + 1],
            the weight of each class and, last, of the background.
        label_smoothing: Spread over the classes, in [0, 1).
        label_noise: The part of the labels that is thought to be drawn by lot, in [0, 1): what a
            label says then is believed the less, the surer the network is of something else
            (Patrini et al. 2017, *Making deep neural networks robust to label noise*, their forward
            correction).
        with_background: Whether the imagined class takes part.

    Returns:
        The mean loss, a scalar.
    """
    classes = logits.shape[1]
    if labels.ndim == 1:
        weights = F.one_hot(torch.where(labels == BACKGROUND, classes, labels), classes + 1)
        weights = weights.to(logits.dtype)
    else:
        weights = labels
    known = weights[:, :classes]
    smooth = known.sum(dim=1, keepdim=True) * label_smoothing / classes
    known = known * (1 - label_smoothing) + smooth
    if with_background:
        logits, known = beside_none(logits), torch.cat([known, weights[:, classes:]], dim=1)
    if not label_noise:
        return F.cross_entropy(logits, known)
    shares = F.softmax(logits, dim=1) * (1 - label_noise) + label_noise / logits.shape[1]
    return -(known * shares.log()).sum(dim=1).mean()


def beside_none(logits: Tensor) -> Tensor:
    """Logits float [N, C] with the constant 0 of "none of them" beside, [N, C + 1]."""
    return torch.cat([logits, logits.new_zeros(logits.shape[0], 1)], dim=1)


def imitation_loss(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """How far the student's softened answers are from the teacher's, in nats.

    Args:
        student: Logits, float [N, K].
        teacher: Logits, float [N, K].
        temperature: That divides both, above 0.

    Returns:
        The mean Kullback-Leibler divergence, a scalar.
    """
    return F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.log_softmax(teacher / temperature, dim=1),
        log_target=True,
        reduction="batchmean",
    )
