"""A model folder like another, whose network ends in another head."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.table import data_digest
from pawsight.inference.artifact import (
    BACKGROUND_FILE,
    CARD_FILE,
    GOLDEN_FOLDER,
    MOST_TOLERATED,
    NETWORK_FILE,
    QUANTISED_FILE,
    README_FILE,
    RUN_FOLDER,
    SEEN_FILE,
    Card,
    ModelFolder,
    Provenance,
    Quantised,
)
from pawsight.inference.catalog import has_card
from pawsight.inference.classifier import Classifier
from pawsight.training.folder import (
    BEFORE_CARD,
    GOLDEN_TOLERANCE,
    check_parity,
    code_revision,
    digests,
    unchosen,
    write_golden,
)
from pawsight.training.graft import graft, read_head
from pawsight.training.head import Head
from pawsight.training.provenance import describe, in_words, versions, write_seen
from pawsight.training.quantise import prove
from pawsight.training.run import RunError, RunFolder


def refuse_taken(output: Path) -> None:
    """Make sure that nothing is overwritten.

    Raises:
        RunError: The folder holds a model or a training.
    """
    if has_card(output) or RunFolder(output / RUN_FOLDER).begun:
        raise RunError(f"{str(output)!r} already holds a model or a training: name another folder")


@contextmanager
def removed_if_refused(output: Path) -> Iterator[None]:
    """Leave nothing of a model whose making ends in an error, or by Ctrl-C.

    Args:
        output: Its folder, which held none before.
    """
    try:
        yield
    except BaseException:
        shutil.rmtree(output / GOLDEN_FOLDER, ignore_errors=True)
        with_card = (README_FILE, CARD_FILE) if (output / CARD_FILE).exists() else ()
        for name in {*BEFORE_CARD, *with_card} - {GOLDEN_FOLDER}:
            (output / name).unlink(missing_ok=True)
        with suppress(OSError):  # something else lies there
            output.rmdir()
        raise


def write_headed(
    parent: Classifier,
    head: Head,
    output: Path,
    *,
    name: str,
    labels: tuple[str, ...],
    table: pd.DataFrame,
    recipe: dict[str, Any],
    seed: int,
    trained: bool,
) -> ModelFolder:
    """Write the folder but its card, which is written once it is calibrated.

    Args:
        parent: Whose network is taken up to its features; in float32.
        head: In place of its own.
        output: The folder.
        name: For the card.
        labels: Of the head's logits.
        table: What the head was fitted and will be chosen on: ``path``, ``label``, ``split``.
        recipe: Of the fit, for the card.
        seed: Likewise.
        trained: Whether it learned what is none of its classes.

    Raises:
        ExportError: The network cannot be given another head.
    """

    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return head.logits(parent.run(batch).features)

    start = parent.folder
    how = start.card.preprocessing
    output.mkdir(parents=True, exist_ok=True)
    RunFolder(output / RUN_FOLDER).clear()  # of a training that came to nothing
    networks = [NETWORK_FILE, *([QUANTISED_FILE] if start.card.quantised else [])]
    for network in networks:
        graft(start.path / network, head, output / network)
    quantised = None
    if start.card.quantised:
        tolerance = _tolerance(head, read_head(start.network), start.card.quantised)
        quantised = prove(output / QUANTISED_FILE, labels, how, tolerance)
    golden = write_golden(answer, labels, how, output)
    write_seen(table, output, _bytes(start, SEEN_FILE))
    files = [*networks, SEEN_FILE, *(each.file for each in golden)]
    if BACKGROUND_FILE in start.card.files:
        (output / BACKGROUND_FILE).write_bytes(_bytes(start, BACKGROUND_FILE))
        files.append(BACKGROUND_FILE)
    origin = start.card.provenance
    card = Card(
        name=name,
        description=describe(f"A new head on {start.card.name}", labels),
        architecture=f"a new head on {start.card.architecture}",
        labels=labels,
        preprocessing=how,
        temperature=1.0,
        rejection=unchosen(trained=trained),
        metrics=(),
        provenance=Provenance(
            started_from=f"{start.card.name} {start.version} ({origin.started_from})",
            licence=origin.licence,
            data=in_words(table.loc[table["split"] == "train"]),
            data_digest=data_digest(table),
            seed=seed,
            code_revision=code_revision(),
            libraries=versions("torch", "onnxruntime", "numpy", "pillow"),
            recipe=recipe,
        ),
        golden=golden,
        golden_tolerance=GOLDEN_TOLERANCE,
        quantised=quantised,
        files=digests(output, files),
    )
    folder = ModelFolder(output, card)
    check_parity(answer, Classifier(folder, precision="float32"))
    return folder


def _tolerance(head: Head, before: Head, proof: Quantised) -> float:
    """By how much integers may move the logits of a head, which come of the same features.

    A longer weight moves its logit farther for what the features are moved by.
    """
    longer = np.linalg.norm(head.weight, axis=1).max() / np.linalg.norm(before.weight, axis=1).max()
    return min(MOST_TOLERATED, proof.golden_tolerance * max(1.0, float(longer)))


def _bytes(folder: ModelFolder, file: str) -> bytes:
    return (folder.path / file).read_bytes() if file in folder.card.files else b""
