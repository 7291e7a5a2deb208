"""Bring a model to this machine: from the hub, from a checkpoint's folder, or a model folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pawsight.extras import require
from pawsight.inference.artifact import (
    CARD_FILE,
    NETWORK_FILE,
    RUN_FOLDER,
    Card,
    ModelFolder,
    Provenance,
)
from pawsight.inference.cascade_card import CascadeFolder
from pawsight.inference.catalog import Entry, installed_models
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.inference.rejection import Rejection
from pawsight.inference.switch import put
from pawsight.models.checkpoint import DESCRIPTION, ONNX_FILES, SAFETENSORS, Checkpoint
from pawsight.models.hub import locate
from pawsight.training.folder import (
    GOLDEN_TOLERANCE,
    Answer,
    check_parity,
    code_revision,
    digests,
    write_card,
    write_golden,
)

_NEEDS_TORCH: Final = (
    "a checkpoint that has no ONNX file must be exported, which (other than one that has, such as "
    "Xenova/vit-base-patch16-224)"
)


def pull(name: str, source: str, revision: str | None = None) -> ModelFolder:
    """Install a model under a name, in place of an older one of that name.

    A checkpoint that has its network in ONNX form is taken without torch; of any other the
    safetensors are exported by torch.

    Args:
        name: What it is asked for by.
        source: A model folder, a folder with a transformers checkpoint, or a repository of the hub.
        revision: Of the repository.

    Returns:
        The installed folder, proven by its golden pictures. A pull that fails leaves an older one
        in place.

    Raises:
        CheckpointError: The checkpoint cannot be had or cannot be used.
        ExtraMissing: The hub, ONNX or torch is needed and not installed.
        BrokenModel: The model folder does not prove itself.
        ModelError: The folder is that of a cascade.
        ExportError: ONNX Runtime answers otherwise than the checkpoint.
    """
    if Entry(name, Path(source), "local").is_cascade:
        card = CascadeFolder.open(Path(source)).card
        raise ModelError(
            f"{source!r} is a cascade, which has no network of its own, but says when "
            f"{card.fast.name!r} answers and when {card.strong.name!r} is asked: pull these two, "
            "and choose that for them by `pawsight cascade --fast NAME --strong NAME`"
        )
    home = installed_models()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".pull-") as place:
        fresh = Path(place) / name
        if (Path(source) / CARD_FILE).is_file():
            locate(source, (), revision)
            shutil.copytree(source, fresh, ignore=shutil.ignore_patterns(RUN_FOLDER))
            Classifier(ModelFolder.open(fresh))
        else:
            fresh.mkdir()
            _take(name, source, revision, fresh)
        put(fresh, home / name, Path(place) / "older")
    return ModelFolder.open(home / name)


def _take(name: str, source: str, revision: str | None, output: Path) -> None:
    """Make a model folder of a checkpoint; what refuses it comes before what is large."""
    folder = locate(source, DESCRIPTION, revision)
    checkpoint = Checkpoint.read(folder, source)
    local = Path(source).is_dir()
    commit = None if local else folder.name
    origin = folder.resolve().name if local else f"{source} at {commit}"
    locate(source, (*DESCRIPTION, *(f"{file}*" for file in ONNX_FILES)), commit)
    if checkpoint.onnx:
        require("hub", "a checkpoint's ONNX file")
        _take_onnx(name, origin, checkpoint, output)
    else:
        require("train", _NEEDS_TORCH)
        locate(source, (*DESCRIPTION, *SAFETENSORS), commit)
        checkpoint.check_safetensors()
        _export(name, origin, checkpoint, output)


def _take_onnx(name: str, origin: str, checkpoint: Checkpoint, output: Path) -> None:
    from pawsight.models.onnx_checkpoint import OnnxCheckpoint

    network = OnnxCheckpoint(checkpoint)
    network.write(output / NETWORK_FILE)
    with network.as_it_is() as answer:
        _prove(name, origin, checkpoint, output, answer, network.parameters, ("onnx",))


def _export(name: str, origin: str, checkpoint: Checkpoint, output: Path) -> None:
    from pawsight.models.huggingface import HuggingFaceViT
    from pawsight.training.export import answering, write_onnx

    network = HuggingFaceViT.from_pretrained(checkpoint.folder)
    outputs = ("logits", "features")
    write_onnx(network, checkpoint.preprocessing, output / NETWORK_FILE, outputs=outputs)
    parameters = sum(each.numel() for each in network.parameters())
    libraries = ("torch", "transformers")
    _prove(name, origin, checkpoint, output, answering(network), parameters, libraries)


def _prove(
    name: str,
    origin: str,
    checkpoint: Checkpoint,
    output: Path,
    answer: Answer,
    parameters: int,
    libraries: Sequence[str],
) -> None:
    """Give a folder with a network its card, and compare the two with the checkpoint."""
    labels, how = checkpoint.labels, checkpoint.preprocessing
    golden = write_golden(answer, labels, how, output)
    card = Card(
        name=name,
        description=f"Tells {', '.join(labels)} apart with {origin}, used as it is.",
        architecture=f"{checkpoint.architecture}, {parameters / 1e6:.1f} million parameters",
        labels=labels,
        preprocessing=how,
        temperature=1.0,
        # The score is the log-odds of cat or dog against the rest: at 0, either is as likely.
        rejection=Rejection(threshold=0.0, trained=True),
        metrics=(),
        provenance=Provenance(
            started_from=origin,
            licence="other",
            data="see the checkpoint's own card",
            data_digest=None,
            seed=None,
            code_revision=code_revision(),
            libraries={each: version(each) for each in libraries},
            recipe={},
        ),
        golden=golden,
        golden_tolerance=GOLDEN_TOLERANCE,
        files=digests(output, (NETWORK_FILE, *(each.file for each in golden))),
    )
    check_parity(answer, Classifier(write_card(output, card)))
