"""SimpleCNN: three residual convolutional blocks and a linear classifier, in plain torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pawsight.models.convolution import Convolution3x3


class Activations(NamedTuple):
    """What one pass gives.

    Attributes:
        logits: float [N, C].
        features: float [N, D], the last block's output averaged over places.
        class_map: float [N, C, h, w], how much each place speaks for each class: the classifier
            applied at every place. Its average over places is the logits.
    """

    logits: Tensor
    features: Tensor
    class_map: Tensor


class SimpleCNN(nn.Module):
    """A small residual network for photographs.

    A stem of stride 4, then three blocks. Each block widens by a 3×3 convolution, halves the map by
    max pooling, and refines it by residual pairs of convolutions (He et al. 2016, *Deep residual
    learning for image recognition*), with batch normalisation and ReLU throughout. The classifier
    is one fully connected layer on the average over places, so that a logit is exactly a sum over
    places: a class activation map (Zhou et al. 2016) that adds up.

    Args:
        num_classes: C, the number of logits.
        widths: Channels of the three blocks.
        residuals: Residual pairs in each block.
        stem_width: Channels of the stem.
        dropout: Probability of dropping a feature before the classifier, in training only.
        pool_first: In training, each block normalises what max pooling left of its widened map: a
            quarter of the work (Jordan 2024, *94% on CIFAR-10 in 3.29 seconds on a single GPU*).
            That norm has no scale, so that otherwise the order does not matter, and networks
            compute, and are exported, as without.

    Attributes:
        mirrored: Whether it looks, outside of training, at each picture in the mirror too, and sees
            the average of both: a little more than one of them tells, for twice the work.
    """

    def __init__(
        self,
        num_classes: int = 2,
        widths: Sequence[int] = (96, 192, 320),
        residuals: Sequence[int] = (1, 2, 1),
        stem_width: int = 48,
        dropout: float = 0.0,
        *,
        pool_first: bool = False,
    ) -> None:
        super().__init__()
        if len(widths) != 3 or len(residuals) != 3:
            raise ValueError(
                f"SimpleCNN has three blocks: got {len(widths)} widths and {len(residuals)} "
                "numbers of residuals"
            )
        self.stem = _conv_bn_relu(3, stem_width, kernel=7, stride=4)
        channels = [stem_width, *widths]
        self.blocks = nn.Sequential(
            *(
                ConvBlock(before, after, pairs, pool_first=pool_first)
                for before, after, pairs in zip(channels, channels[1:], residuals, strict=False)
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(widths[-1], num_classes)
        self.mirrored = False

    @property
    def num_features(self) -> int:
        """D, the size of the vector that the classifier sees."""
        return self.classifier.in_features

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Logits [N, C] of normalised pictures, float [N, 3, H, W] with H, W ≥ 32."""
        logits: Tensor = self.classifier(self.features(pixel_values))
        return logits

    def features(self, pixel_values: Tensor) -> Tensor:
        """What the classifier sees, float [N, D]."""
        return self.pool(self.feature_map(pixel_values))

    def pool(self, feature_map: Tensor) -> Tensor:
        """The average over places of :meth:`feature_map`, float [N, D]."""
        features: Tensor = self.dropout(feature_map.mean((2, 3)))
        return features

    def activations(self, pixel_values: Tensor) -> Activations:
        """Logits together with what explaining and rejecting need."""
        feature_map = self.feature_map(pixel_values)
        features = feature_map.mean((2, 3))
        class_map = F.conv2d(
            feature_map, self.classifier.weight[:, :, None, None], self.classifier.bias
        )
        return Activations(self.classifier(features), features, class_map)

    def feature_map(self, pixel_values: Tensor) -> Tensor:
        """The last block's output, float [N, D, h, w]."""
        if self.training or not self.mirrored:
            return self._seen(pixel_values)
        both = self._seen(torch.cat([pixel_values, pixel_values.flip(3)]))
        pictures, mirrored = both.reshape(2, -1, *both.shape[1:])
        seen: Tensor = (pictures + mirrored.flip(3)) / 2
        return seen

    def _seen(self, pixel_values: Tensor) -> Tensor:
        feature_map: Tensor = self.blocks(self.stem(pixel_values))
        return feature_map


class ConvBlock(nn.Module):
    """Widen, halve the map by max pooling, refine by residual pairs."""

    def __init__(
        self, before: int, after: int, residuals: int, *, pool_first: bool = False
    ) -> None:
        super().__init__()
        self.pool_first = pool_first
        self.widen = _conv_bn_relu(before, after)
        # Weights of 1 that stay so: what grows with its input may be pooled before or after.
        self.widen[1].weight.requires_grad_(not pool_first)
        # Odd maps keep their last row and column.
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.refine = nn.Sequential(*(Residual(after) for _ in range(residuals)))

    def forward(self, x: Tensor) -> Tensor:
        """Map float [N, before, H, W] to [N, after, H/2, W/2]."""
        if self.pool_first and self.training:
            convolution, norm, relu = self.widen
            pooled = relu(norm(self.pool(convolution(x))))
        else:
            pooled = self.pool(self.widen(x))
        refined: Tensor = self.refine(pooled)
        return refined


class Residual(nn.Module):
    """Two 3×3 convolutions whose output is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv_bn_relu(channels, channels)
        self.second = Convolution3x3(channels, channels)
        self.norm = nn.BatchNorm2d(channels)
        # Each pair starts as the identity (Goyal et al. 2017, *Accurate, large minibatch SGD*).
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape float [N, channels, H, W]."""
        return torch.relu(x + self.norm(self.second(self.first(x))))


def _conv_bn_relu(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution: nn.Conv2d
    if (kernel, stride) == (3, 1):
        convolution = Convolution3x3(before, after)
    else:
        convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))
