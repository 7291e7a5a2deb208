"""CatDogClassifier: how a network learns, under Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics.classification import MulticlassAccuracy

from pawsight.batch import Batch
from pawsight.labels import BACKGROUND
from pawsight.models.losses import beside_none, imitation_loss, open_set_cross_entropy
from pawsight.models.optimizers import (
    Decay,
    OptimizerName,
    WarmupDecay,
    build_optimizer,
    inner_weights,
)


@dataclass(frozen=True)
class Imitation:
    """How a network learns from a teacher (Hinton et al. 2015, *Distilling the knowledge*).

    Attributes:
        outputs: K, where the teacher knows other classes: the network's features then learn to tell
            what it sees, by one more linear layer that is thrown away afterwards, which needs a
            network with ``features``, ``num_features`` and ``classifier``. None where its classes
            are the network's own.
        weight: Of the divergence beside the loss of the labels.
        temperature: That softens both, above 0.
    """

    outputs: int | None
    weight: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Hinting:
    """How a network learns to see what a teacher sees, place by place.

    The network's last feature map learns to tell it, by a :class:`Guesser` that is thrown away
    afterwards; needs a network with ``feature_map``, ``pool``, ``num_features`` and ``classifier``.

    Attributes:
        components: K, of the teacher's features at a place.
        weight: Of the part of their variance that is not explained, beside the loss of the labels.
    """

    components: int
    weight: float = 1.0


class Guesser(nn.Module):
    """Tells from a feature map what a teacher sees at its places.

    The map is normalised first and the guess made small, as what is to be guessed is: the steps of
    AdamW, which are of one size for all weights, would else throw it far beyond.

    Args:
        features: D, of the map.
        components: K, to be guessed; of variance 1 together.
    """

    def __init__(self, features: int, components: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.guess = nn.Conv2d(features, components, 1)
        nn.init.zeros_(self.guess.weight)
        self.scale = components**-0.5

    def forward(self, feature_map: Tensor) -> Tensor:
        """A guess, float32 [N, K, h, w], of float [N, D, h, w]."""
        guess: Tensor = self.guess(self.norm(feature_map)).float() * self.scale
        return guess


class CatDogClassifier(L.LightningModule):
    """Trains any network that maps pictures to logits.

    AdamW, or another optimizer, on a cosine that a linear warm-up precedes, stepped at every batch.
    Loss and accuracy are logged for training, validation and test.

    Args:
        network: Maps float [N, 3, H, W] to logits [N, C].
        num_classes: C.
        learning_rate: The highest, reached at the end of the warm-up.
        weight_decay: On weights of convolutions and linear layers, not on biases and norms.
        warmup: The part of all steps that the warm-up takes, in [0, 1).
        label_smoothing: In [0, 1).
        label_noise: The part of the labels that is thought to be wrong, in [0, 1).
        with_background: Whether training has pictures of none of the classes (label
            :data:`~pawsight.labels.BACKGROUND`); the loss then is :func:`open_set_cross_entropy`.
        total_steps: Of the whole training, for the cosine; by default Lightning's estimate. Say it
            where a training may be resumed inside an epoch: to estimate, Lightning sets the loader
            up before it reads the checkpoint, and then forgets the loader's place.
        restarts: Of the fall of the rate, as for :class:`WarmupDecay`.
        decay: ``cosine``, or ``linear`` for a line in its place.
        layer_decay: The learning rate at the pixels as a part of the one at the classifier,
            geometric in between (Bao et al. 2022, *BEiT*); needs a network with ``height_of``.
        imitations: One for each teacher whose answers the training batches carry.
        hintings: One for each teacher whose hints the training batches carry.
        optimizer: ``adamw``, ``sgd`` or ``muon`` (:mod:`pawsight.models.optimizers`).
        patch_dropout: Pairs (first epoch, part); needs a network with ``patch_dropout``.
    """

    def __init__(
        self,
        network: Any,  # noqa: ANN401 - a module; what it must have beside depends on the options
        num_classes: int = 2,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.05,
        warmup: float = 0.1,
        label_smoothing: float = 0.0,
        label_noise: float = 0.0,
        with_background: bool = False,
        total_steps: int | None = None,
        restarts: Sequence[tuple[int, float]] = (),
        decay: Decay = "cosine",
        layer_decay: float = 1.0,
        imitations: Sequence[Imitation] = (),
        hintings: Sequence[Hinting] = (),
        optimizer: OptimizerName = "adamw",
        patch_dropout: Sequence[tuple[int, float]] = (),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=["network", "imitations", "hintings"])
        self.network = network.to(memory_format=torch.channels_last)
        self.num_classes = num_classes
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.label_smoothing = label_smoothing
        self.label_noise = label_noise
        self.with_background = with_background
        self.total_steps = total_steps
        self.restarts = restarts
        self.decay = decay
        self.layer_decay = layer_decay
        self.imitations = imitations
        self.hintings = hintings
        self.optimizer = optimizer
        self.patch_dropout = sorted(patch_dropout)
        self.imitators = nn.ModuleList(
            nn.Linear(network.num_features, each.outputs) if each.outputs else nn.Identity()
            for each in imitations
        )
        self.guessers = nn.ModuleList(
            Guesser(network.num_features, each.components) for each in hintings
        )
        self.train_accuracy = self._new_accuracy()
        self.val_accuracy = self._new_accuracy()
        self.test_accuracy = self._new_accuracy()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Logits [N, C] of float [N, 3, H, W]."""
        logits: Tensor = self.network(pixel_values)
        return logits

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Leave out as many patches as this epoch shall.

        At every batch: the start of an epoch that is gone on with is not announced.
        """
        for first, part in self.patch_dropout:
            if self.current_epoch >= first:
                self.network.patch_dropout = part

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The loss of one batch; logs ``train_loss`` and ``train_accuracy``."""
        batch = Batch(*batch)
        pixel_values = _channels_last(batch.pixel_values)
        if not self.imitations and not self.hintings:
            return self._step("train", self.train_accuracy, batch, self(pixel_values))
        learned = pixel_values.new_zeros(())
        if self.hintings:
            feature_map = self.network.feature_map(pixel_values)
            learned = self._guess(feature_map, batch.hints)
            features = self.network.pool(feature_map)
        else:
            features = self.network.features(pixel_values)
        logits = self.network.classifier(features)
        learned = learned + self._imitate(features, logits, batch.answers)
        return self._step("train", self.train_accuracy, batch, logits) + learned

    def _guess(self, feature_map: Tensor, hints: Sequence[Tensor]) -> Tensor:
        """The weighted parts of all hints' variance that are not explained; logs each."""
        total = feature_map.new_zeros((), dtype=torch.float32)
        for number, (how, guesser, hint) in enumerate(
            zip(self.hintings, self.guessers, hints, strict=True)
        ):
            guess = guesser(feature_map)
            error = guess - F.adaptive_avg_pool2d(hint, guess.shape[2:])
            unexplained = error.square().sum(dim=1).mean()
            self.log(f"train_hint_{number}", unexplained, on_step=True, on_epoch=False)
            total = total + how.weight * unexplained
        return total

    def _imitate(self, features: Tensor, logits: Tensor, answers: Sequence[Tensor]) -> Tensor:
        """The weighted divergences from all teachers; logs each."""
        total = features.new_zeros((), dtype=torch.float32)
        for number, (how, imitator, answer) in enumerate(
            zip(self.imitations, self.imitators, answers, strict=True)
        ):
            if how.outputs:
                student = imitator(features).float()
            elif self.with_background:
                student, answer = beside_none(logits.float()), beside_none(answer)
            else:
                student = logits.float()
            divergence = imitation_loss(student, answer, how.temperature)
            self.log(f"train_imitation_{number}", divergence, on_step=True, on_epoch=False)
            total = total + how.weight * divergence
        return total

    def validation_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Logs ``val_loss`` and ``val_accuracy``."""
        return self._step("val", self.val_accuracy, batch, self(_channels_last(batch[0])))

    def test_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Logs ``test_loss`` and ``test_accuracy``."""
        return self._step("test", self.test_accuracy, batch, self(_channels_last(batch[0])))

    def _new_accuracy(self) -> MulticlassAccuracy:
        return MulticlassAccuracy(self.num_classes, average="micro", ignore_index=BACKGROUND)

    def _step(
        self, stage: str, accuracy: MulticlassAccuracy, batch: Batch, logits: Tensor
    ) -> Tensor:
        labels = batch[1]
        loss = open_set_cross_entropy(
            logits.float(),
            labels,
            label_smoothing=self.label_smoothing if stage == "train" else 0.0,
            label_noise=self.label_noise if stage == "train" else 0.0,
            with_background=self.with_background,
        )
        accuracy(logits, labels if labels.ndim == 1 else _hardest(labels))
        epoch_only = stage != "train"
        self.log(f"{stage}_loss", loss, prog_bar=True, on_step=not epoch_only, on_epoch=epoch_only)
        self.log(f"{stage}_accuracy", accuracy, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - Lightning's own union of dictionaries
        """The optimizer and, at every step, a linear warm-up followed by a fall to zero."""
        brief = self.optimizer == "muon" and "bf16" in str(self.trainer.precision)
        optimizer = build_optimizer(
            self.optimizer,
            self._parameter_groups(),
            self.learning_rate,
            torch.bfloat16 if brief else torch.float32,
        )
        steps = self.total_steps or int(self.trainer.estimated_stepping_batches)
        factor = WarmupDecay(steps, self.warmup, self.restarts, self.decay)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"},
        }

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """What is trained, by learning rate, weight decay and whether it moves orthogonally."""
        inner = inner_weights(self.network) if self.optimizer == "muon" else set()
        groups: dict[tuple[float, float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if not parameter.requires_grad:
                continue
            factor = 1.0
            if self.layer_decay != 1.0 and name.startswith("network."):
                height = self.network.height_of(name.removeprefix("network."))
                factor = self.layer_decay ** (1 - height)
            decay = self.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((factor, decay, parameter in inner), []).append(parameter)
        return [
            {"params": params, "lr": self.learning_rate * factor, "weight_decay": decay}
            | ({"orthogonal": True} if orthogonal else {})
            for (factor, decay, orthogonal), params in groups.items()
        ]


def _channels_last(pixel_values: Tensor) -> Tensor:
    return pixel_values.contiguous(memory_format=torch.channels_last)


def _hardest(weights: Tensor) -> Tensor:
    """The label that weighs most, with the last column as the background."""
    label = weights.argmax(dim=1)
    return torch.where(label == weights.shape[1] - 1, BACKGROUND, label)
