"""HuggingFaceViT: an image-classification checkpoint of the Hugging Face hub, used as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForImageClassification

from pawsight.images.preprocess import Preprocessing
from pawsight.models.checkpoint import DESCRIPTION, SAFETENSORS, Checkpoint
from pawsight.models.class_groups import class_groups
from pawsight.models.errors import CheckpointError
from pawsight.models.hub import locate

DEFAULT_CHECKPOINT: Final = "google/vit-base-patch16-224"


class HuggingFaceViT(nn.Module):
    """A checkpoint that answers cat or dog, and how sure it is that it is either.

    The checkpoint's classes fall into cat, dog and the rest. A group's logit is the log-odds of its
    probability mass against that of the rest, so that the softmax over the groups is the
    checkpoint's own share of cat and dog, and ``logsumexp`` of the logits is the log-odds of the
    picture showing either. A checkpoint without a rest has its logits handed on.

    Args:
        checkpoint: A transformers model with ``logits`` and hidden states in its output.
        preprocessing: How the checkpoint wants its pictures.

    Attributes:
        labels: Names of the groups, sorted.

    Raises:
        CheckpointError: The checkpoint's classes name no cat or no dog.
    """

    def __init__(self, checkpoint: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        config: Any = checkpoint.config
        groups = class_groups({int(key): name for key, name in config.id2label.items()})
        self.checkpoint = checkpoint
        self.preprocessing = preprocessing
        self.labels = tuple(sorted(groups))
        self._groups = [torch.tensor(list(groups[label])) for label in self.labels]
        chosen = {index for label in self.labels for index in groups[label]}
        self._rest = torch.tensor([i for i in range(len(config.id2label)) if i not in chosen])

    @classmethod
    def from_pretrained(
        cls, source: str | Path = DEFAULT_CHECKPOINT, revision: str | None = None
    ) -> HuggingFaceViT:
        """Load a checkpoint from a local folder or from the hub.

        Weights are read from safetensors only: nothing is ever unpickled.

        Args:
            source: A folder, or a repository such as ``google/vit-base-patch16-224``.
            revision: A branch, tag or commit of the repository.

        Raises:
            CheckpointError: It cannot be had (see :func:`pawsight.models.hub.locate`), it has no
                safetensors, or its classes or its preprocessing are none that can be used.
        """
        folder = locate(source, (*DESCRIPTION, *SAFETENSORS), revision)
        described = Checkpoint.read(folder, str(source))
        described.check_safetensors()
        try:
            checkpoint = AutoModelForImageClassification.from_pretrained(
                folder, use_safetensors=True, local_files_only=True
            )
        except (OSError, ValueError, SafetensorError) as error:
            if isinstance(error, SafetensorError) or "safetensors" in str(error):
                raise CheckpointError(
                    f"{str(source)!r} has no usable safetensors: its weights are missing or cut off"
                ) from error
            raise CheckpointError(
                f"{str(source)!r} is no image-classification checkpoint: "
                f"{str(error).splitlines()[0][:200]}"
            ) from error
        return cls(checkpoint.eval(), described.preprocessing)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Logits [N, 2] of the groups, of float [N, 3, H, W]."""
        return self.activations(pixel_values)[0]

    def activations(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, 2] and features [N, D]: the last hidden state averaged over its places."""
        output = self.checkpoint(pixel_values=pixel_values, output_hidden_states=True)
        logits = torch.stack(
            [torch.logsumexp(output.logits[:, group], dim=1) for group in self._groups], dim=1
        )
        if len(self._rest):
            logits = logits - torch.logsumexp(output.logits[:, self._rest], dim=1, keepdim=True)
        state = output.hidden_states[-1]
        return logits, state.mean(dim=1) if state.ndim == 3 else state.mean(dim=(2, 3))
