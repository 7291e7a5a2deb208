"""VisionTransformer: a transformer over patches and a linear classifier on their average."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Dinov2Config, Dinov2Model

from pawsight.models.cnn_model import Activations


class VisionTransformer(nn.Module):
    """A ViT in DINOv2's form (Oquab et al. 2023) that can be explained by a sum.

    The classifier is one linear layer on the average of the patches' last states, not on the CLS
    token: a logit then is exactly a sum over places, as in
    :class:`~pawsight.models.cnn_model.SimpleCNN`.

    Args:
        num_classes: C, the number of logits.
        width: D, the size of a token.
        depth: Layers.
        heads: Attention heads of a layer.
        patch_size: Height and width of a patch in pixels; those of a picture are multiples of it.
        position_size: Height and width in pixels for which positions are kept; other sizes
            interpolate between them.
        drop_path: Probability of skipping a layer's branch for a picture, in training only (Huang
            et al. 2016, *Deep networks with stochastic depth*).
        frozen_layers: As many of the lowest layers, and the embeddings, stay as they are.

    Attributes:
        patch_dropout: The part of the patches that is left out in training, others for each
            picture (Liu et al. 2022, *PatchDropout*). Pictures then have no ``class_map``.
    """

    def __init__(
        self,
        num_classes: int = 2,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        patch_size: int = 14,
        position_size: int = 518,
        drop_path: float = 0.0,
        frozen_layers: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = Dinov2Model(
            Dinov2Config(
                hidden_size=width,
                num_hidden_layers=depth,
                num_attention_heads=heads,
                patch_size=patch_size,
                image_size=position_size,
                drop_path_rate=drop_path,
            )
        )
        # For few tokens, plain products are faster on processors than torch's fused attention
        # (benchmarks/vit.py).
        self.backbone.set_attn_implementation("eager")
        self.patch_size = patch_size
        self.patch_dropout = 0.0
        self.classifier = nn.Linear(width, num_classes)
        if frozen_layers:
            lowest = [self.backbone.embeddings, *self.backbone.encoder.layer[:frozen_layers]]
            for module in lowest:
                module.requires_grad_(requires_grad=False)

    @property
    def num_features(self) -> int:
        """D, the size of the vector that the classifier sees."""
        return self.classifier.in_features

    def height_of(self, parameter: str) -> float:
        """Where a parameter stands, by name: 0 at the pixels, 1 at the classifier."""
        depth = len(self.backbone.encoder.layer)
        if parameter.startswith("backbone.embeddings"):
            return 0.0
        if match := re.match(r"backbone\.encoder\.layer\.(\d+)\.", parameter):
            return (int(match[1]) + 1) / (depth + 1)
        return 1.0

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Logits [N, C] of normalised pictures, float [N, 3, H, W]."""
        logits: Tensor = self.classifier(self.features(pixel_values))
        return logits

    def features(self, pixel_values: Tensor) -> Tensor:
        """What the classifier sees, float [N, D]."""
        return self._patches(pixel_values).mean(dim=1)

    def activations(self, pixel_values: Tensor) -> Activations:
        """Logits together with what explaining and rejecting need."""
        patches = self._patches(pixel_values)
        features = patches.mean(dim=1)
        rows, columns = (side // self.patch_size for side in pixel_values.shape[2:])
        places = self.classifier(patches).transpose(1, 2)
        class_map = places.reshape(-1, places.shape[1], rows, columns)
        return Activations(self.classifier(features), features, class_map)

    def _patches(self, pixel_values: Tensor) -> Tensor:
        """The patches' last states, float [N, h · w, D]."""
        tokens = self.backbone.embeddings(pixel_values)
        if self.training and self.patch_dropout > 0:
            tokens = _drop_patches(tokens, self.patch_dropout)
        output: Any = self.backbone.encoder(tokens)
        states: Tensor = self.backbone.layernorm(output.last_hidden_state)
        return states[:, 1:]


def _drop_patches(tokens: Tensor, part: float) -> Tensor:
    """Leave out a random part of the patches, others for each picture; the CLS token stays.

    Liu et al. 2022, *PatchDropout: economizing vision transformers using patch dropout*.
    """
    count, length, width = tokens.shape
    kept = max(round((length - 1) * (1 - part)), 1)
    order = torch.rand(count, length - 1, device=tokens.device).argsort(dim=1)[:, :kept] + 1
    chosen = tokens.gather(1, order[:, :, None].expand(-1, -1, width))
    return torch.cat([tokens[:, :1], chosen], dim=1)
