"""VisionTransformer: a transformer over patches and a linear classifier on their average."""

from __future__ import annotations

from typing import Any

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
        self.patch_size = patch_size
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Logits [N, C] of normalised pictures, float [N, 3, H, W]."""
        logits: Tensor = self.classifier(self._patches(pixel_values).mean(dim=1))
        return logits

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
        output: Any = self.backbone(pixel_values=pixel_values)
        states: Tensor = output.last_hidden_state
        return states[:, 1:]
