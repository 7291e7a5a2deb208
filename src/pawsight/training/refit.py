"""A head that learns from corrections and forgets nothing: refitted near the old one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pawsight.labels import BACKGROUND
from pawsight.models.losses import open_set_cross_entropy
from pawsight.training.features import Features
from pawsight.training.head import FOLDS, STRENGTHS, FittedHead, Head, minimise, standards_of

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Anchors:
    """Pictures about which nothing is to change.

    Attributes:
        features: float32 [A, D].
        with_background: Whether the old head knows what is none of its classes.
    """

    features: Features
    with_background: bool


def refit_head(
    old: Head, views: Features, labels: Numbers, groups: Numbers, anchors: Anchors, *, seed: int = 0
) -> FittedHead:
    """Move a head as little as corrections need.

    The loss is the mean cross-entropy over the corrections and the anchors, each counting once, the
    anchors with the old head's own probabilities as their labels (learning without forgetting: Li
    and Hoiem 2016), plus half the strength times the sum of squares of what is added to the old
    weights, on features standardised by the anchors. Corrections are mistakes more often than what
    is sent is: if they counted more, the head would expect to be wrong everywhere. The strength is
    the one with the least loss where corrections were left out.

    Args:
        old: The head.
        views: float32 [N, V, D]: each correction as it is seen in V ways.
        labels: int64 [N], in [0, C) or :data:`~pawsight.labels.BACKGROUND`.
        groups: int64 [N]; corrections of one group are left out together.
        anchors: What is to be kept.
        seed: Of the folds.

    Returns:
        Its ``held_out`` are the logits [N, C] of each correction's first view; of no rows where
        there is but one group.
    """
    folds = _folds(groups, seed)
    fit = _Fit(old, anchors)
    if len(folds) < 2:
        strength = STRENGTHS[len(STRENGTHS) // 2]
        head = fit.head(views, labels, strength)
        return FittedHead(head, {"strength": strength}, np.empty((0, len(old.bias)), np.float32))
    tried = {}
    for strength in STRENGTHS:
        logits = np.zeros((len(labels), len(old.bias)), dtype=np.float32)
        kept, share = 0.0, fit.share(len(labels))
        for left_out in folds:
            head = fit.head(views[~left_out], labels[~left_out], strength)
            logits[left_out] = head.logits(views[left_out, 0])
            kept += fit.forgotten(head) / len(folds)
        loss = share * fit.loss(logits, labels) + (1 - share) * kept
        tried[strength] = (loss, logits)
    strength = min(tried, key=lambda each: tried[each][0])
    head = fit.head(views, labels, strength)
    return FittedHead(head, {"strength": strength}, tried[strength][1])


def _folds(groups: Numbers, seed: int) -> list[NDArray[np.bool_]]:
    """Which rows to leave out [N], each row once."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    return [np.isin(groups, part) for part in np.array_split(names, min(FOLDS, len(names)))]


class _Fit:
    def __init__(self, old: Head, anchors: Anchors) -> None:
        self._mean, self._scale = standards_of(anchors.features)
        self._old = old
        self._background = anchors.with_background
        self._anchors = anchors.features
        self._believed = self._probabilities(torch.from_numpy(old.logits(anchors.features)))

    def head(self, views: Features, labels: Numbers, strength: float) -> Head:
        flat = views.reshape(-1, views.shape[2])
        targets = self._one_hot(np.repeat(labels, views.shape[1]))
        share = self.share(len(labels))
        rows = [(share, flat, targets), (1 - share, self._anchors, self._believed)]
        parts = [
            (
                part,
                torch.from_numpy((each - self._mean) * self._scale),
                torch.from_numpy(self._old.logits(each)),
                wanted,
            )
            for part, each, wanted in rows
        ]

        def loss(weight: Tensor, bias: Tensor) -> Tensor:
            total = strength / 2 * weight.square().sum()
            for part, inputs, before, wanted in parts:
                logits = before + F.linear(inputs, weight, bias)
                total = total + part * self._entropy(logits, wanted)
            return total

        weight, bias = minimise(loss, *self._old.weight.shape)
        added = weight * self._scale
        moved = self._old.bias + bias - added @ self._mean
        return Head(self._old.weight + added, moved.astype(np.float32))

    def share(self, corrections: int) -> float:
        return corrections / (corrections + len(self._anchors))

    def loss(self, logits: Features, labels: Numbers) -> float:
        return float(self._entropy(torch.from_numpy(logits), self._one_hot(labels)))

    def forgotten(self, head: Head) -> float:
        logits = torch.from_numpy(head.logits(self._anchors))
        return float(self._entropy(logits, self._believed))

    def _entropy(self, logits: Tensor, wanted: Tensor) -> Tensor:
        return open_set_cross_entropy(logits, wanted, with_background=self._background)

    def _probabilities(self, logits: Tensor) -> Tensor:
        """Of each class and, last, of the background: float32 [N, C + 1]."""
        none = (
            torch.zeros(len(logits), 1) if self._background else torch.full((len(logits), 1), -1e9)
        )
        return torch.cat([logits, none], dim=1).softmax(dim=1)

    def _one_hot(self, labels: Numbers) -> Tensor:
        numbers = torch.from_numpy(labels)
        classes = len(self._old.bias)
        return F.one_hot(torch.where(numbers == BACKGROUND, classes, numbers), classes + 1).float()
