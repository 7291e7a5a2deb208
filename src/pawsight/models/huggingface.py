"""HuggingFaceViT: an image-classification checkpoint of the Hugging Face hub, used as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

from pawsight.images.preprocess import Preprocessing

DEFAULT_CHECKPOINT: Final = "google/vit-base-patch16-224"

IMAGENET_GROUPS: Final = {"cat": range(281, 286), "dog": range(151, 269)}
"""The classes of ImageNet-1k that are domestic cats and dogs (ILSVRC 2012's order)."""

_IMAGENET_SIGNS: Final = {281: "tabby", 151: "chihuahua", 268: "hairless"}
_RESAMPLE: Final = {1: "lanczos", 2: "bilinear", 3: "bicubic"}


class CheckpointError(ValueError):
    """A checkpoint that cannot be had or cannot be used; the words say why and what would do."""


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

        The hub's progress bar, cache (``HF_HOME``) and token (``HF_TOKEN``) are those of
        huggingface_hub. Weights are read from safetensors only: nothing is ever unpickled.

        Args:
            source: A folder, or a repository such as ``google/vit-base-patch16-224``.
            revision: A branch, tag or commit of the repository.

        Raises:
            CheckpointError: It is not there, the hub cannot be reached, it has no safetensors, or
                its classes or its preprocessing are none that can be used.
        """
        folder = Path(source)
        if folder.is_dir():
            _check_folder(folder)
        options: dict[str, Any] = {"revision": revision} if revision else {}
        try:
            config = AutoConfig.from_pretrained(str(source), **options)
            processor: Any = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
                str(source), use_fast=False, **options
            )
            checkpoint = AutoModelForImageClassification.from_pretrained(
                str(source), config=config, use_safetensors=True, **options
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise CheckpointError(_why_not(str(source), error)) from error
        return cls(checkpoint.eval(), read_preprocessing(processor.to_dict()))

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


def class_groups(names: Mapping[int, str]) -> dict[str, list[int]]:
    """Find which of a checkpoint's classes are cats and which are dogs.

    Args:
        names: Class number → name, the checkpoint's ``id2label``.

    Returns:
        ``cat`` and ``dog`` → class numbers.

    Raises:
        CheckpointError: There are none; names the classes that there are.
    """
    nameless = all(name == f"LABEL_{number}" for number, name in names.items())
    if len(names) == 1000 and (
        nameless or all(sign in names[i].lower() for i, sign in _IMAGENET_SIGNS.items())
    ):
        return {label: list(group) for label, group in IMAGENET_GROUPS.items()}
    groups = {
        label: [number for number, name in names.items() if _means(name, label)]
        for label in IMAGENET_GROUPS
    }
    missing = [label for label, numbers in groups.items() if not numbers]
    if missing:
        shown = ", ".join(list(names.values())[:12]) + (", …" if len(names) > 12 else "")
        raise CheckpointError(
            f"the checkpoint has no class for {' and '.join(missing)}; its classes are: {shown}. "
            "A checkpoint of ImageNet-1k, or one with classes named cat and dog, would do"
        )
    return groups


def _means(name: str, label: str) -> bool:
    """Whether one of a class's synonyms (separated by commas) ends in the word or its plural."""
    endings = (f"{label}", f"{label}s")
    words = [synonym.strip().lower().replace("_", " ").split() for synonym in name.split(",")]
    return any(bool(each) and re.sub(r"\W", "", each[-1]) in endings for each in words)


def read_preprocessing(config: Mapping[str, Any]) -> Preprocessing:
    """Translate an image processor's configuration.

    Raises:
        CheckpointError: It does something that :class:`Preprocessing` does not.
    """
    size, crop = config.get("size") or {}, config.get("crop_size") or {}
    common: dict[str, Any] = {
        "resample": _RESAMPLE.get(int(config.get("resample", 2))),
        "mean": tuple(config.get("image_mean") or (0.0, 0.0, 0.0)),
        "std": tuple(config.get("image_std") or (1.0, 1.0, 1.0)),
    }
    if not config.get("do_normalize", True):
        common |= {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    place: dict[str, Any]
    shortest = size.get("shortest_edge")
    cropped = bool(config.get("do_center_crop")) and bool(crop)
    if common["resample"] is None or not config.get("do_resize", True):
        raise CheckpointError("the checkpoint resizes its pictures in a way that is not known here")
    if shortest and config.get("crop_pct") is not None:
        # ConvNeXt's processor squashes to a square from 384 pixels on, and crops below.
        fraction = {} if shortest >= 384 else {"crop_fraction": float(config["crop_pct"])}
        place = {"height": shortest, "width": shortest, **fraction}
    elif shortest and cropped:
        place = {**crop, "crop_fraction": min(crop["height"] / shortest, 1.0)}
    elif {"height", "width"} <= set(size) and not cropped:
        place = {"height": size["height"], "width": size["width"]}
    else:
        raise CheckpointError(
            f"the checkpoint resizes to {dict(size)} and crops to {dict(crop)}, which is not "
            "known here"
        )
    return Preprocessing(
        geometry="crop" if "crop_fraction" in place else "stretch", **place, **common
    )


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"no checkpoint in {folder.name!r}: it has no config.json")
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin"))
        raise CheckpointError(
            f"checkpoint {folder.name!r} has no *.safetensors"
            + (
                ", only pickled weights, which could run anything when loaded. Convert it where "
                "you trust it: AutoModelForImageClassification.from_pretrained(FOLDER)"
                ".save_pretrained(FOLDER)"
                if pickled
                else ": its weights are missing"
            )
        )


def _why_not(source: str, error: Exception) -> str:
    words = str(error)
    if "is not a valid git identifier" in words or "revision" in words.lower():
        return f"{source!r} does not have that revision"
    if isinstance(error, SafetensorError) or "safetensors" in words:
        return f"{source!r} has no usable safetensors: its weights are missing or cut off"
    if any(sign in words for sign in ("connect", "offline", "couldn't reach", "resolve")):
        return (
            f"the hub cannot be reached for {source!r}. Without a network, name a local folder: "
            "`pawsight models pull pretrained --from FOLDER`"
        )
    return f"{source!r} is no image-classification checkpoint: {words.splitlines()[0][:200]}"
