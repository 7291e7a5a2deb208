"""Bring a model to this machine: from the hub, from a checkpoint's folder, or a model folder."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from pawsight.inference.artifact import (
    CARD_FILE,
    NETWORK_FILE,
    Card,
    ModelFolder,
    Provenance,
    Rejection,
)
from pawsight.inference.catalog import installed_models
from pawsight.inference.classifier import Classifier
from pawsight.models.huggingface import HuggingFaceViT
from pawsight.training.export import (
    GOLDEN_TOLERANCE,
    check_parity,
    code_revision,
    digests,
    write_card,
    write_golden,
    write_onnx,
)


def pull(name: str, source: str, revision: str | None = None) -> ModelFolder:
    """Install a model under a name, in place of an older one of that name.

    Args:
        name: What it is asked for by.
        source: A model folder, a folder with a transformers checkpoint, or a repository of the hub.
        revision: Of the repository.

    Returns:
        The installed folder, proven by its golden pictures. A pull that fails leaves an older one
        in place.

    Raises:
        CheckpointError: The checkpoint cannot be had or cannot be used.
        BrokenModel: The model folder does not prove itself.
        ExportError: ONNX Runtime answers otherwise than torch.
    """
    home = installed_models()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".pull-") as place:
        fresh = Path(place) / name
        if (Path(source) / CARD_FILE).is_file():
            shutil.copytree(source, fresh, ignore=shutil.ignore_patterns("training"))
        else:
            fresh.mkdir()
            _export_checkpoint(name, source, revision, fresh)
        Classifier(ModelFolder.open(fresh))
        target = home / name
        if target.exists():
            target.rename(Path(place) / "older")
        fresh.rename(target)
    return ModelFolder.open(home / name)


def _export_checkpoint(name: str, source: str, revision: str | None, output: Path) -> None:
    network = HuggingFaceViT.from_pretrained(source, revision)
    how = network.preprocessing
    write_onnx(network, how, output / NETWORK_FILE, outputs=("logits", "features"))
    golden = write_golden(network, network.labels, how, output)
    parameters = sum(each.numel() for each in network.parameters()) / 1e6
    origin = Path(source).name if Path(source).is_dir() else source
    card = Card(
        name=name,
        description=f"Tells {', '.join(network.labels)} apart with {origin}, used as it is.",
        architecture=f"{type(network.checkpoint).__name__}, {parameters:.1f} million parameters",
        labels=network.labels,
        preprocessing=how,
        temperature=1.0,
        # The score is the log-odds of cat or dog against the rest: at 0, either is as likely.
        rejection=Rejection(threshold=0.0, trained=True),
        metrics=(),
        provenance=Provenance(
            started_from=f"{origin}{f' at {revision}' if revision else ''}",
            licence="other",
            data="see the checkpoint's own card",
            data_digest=None,
            seed=None,
            code_revision=code_revision(),
            libraries={each: version(each) for each in ("torch", "transformers")},
            recipe={},
        ),
        golden=golden,
        golden_tolerance=GOLDEN_TOLERANCE,
        files=digests(output, (NETWORK_FILE, *(answer.file for answer in golden))),
    )
    check_parity(network, Classifier(write_card(output, card)))
