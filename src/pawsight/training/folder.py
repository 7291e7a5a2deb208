"""What every model folder gets, whoever fills it: card, golden pictures, proof of parity."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pawsight.images.decode import decode_image
from pawsight.images.preprocess import Preprocessing, preprocess
from pawsight.inference.artifact import (
    BACKGROUND_FILE,
    CARD_FILE,
    GOLDEN_FOLDER,
    NETWORK_FILE,
    QUANTISED_FILE,
    README_FILE,
    REFERENCE_FILE,
    SEEN_FILE,
    Card,
    Described,
    GoldenAnswer,
    ModelFolder,
    digest,
)
from pawsight.inference.classifier import Classifier
from pawsight.inference.rejection import Rejection
from pawsight.training.golden import golden_pictures
from pawsight.training.model_card import render
from pawsight.whole import FRESH

Answer: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]
"""A network before it was exported: pixels [N, 3, H, W] → logits [N, C]."""

log = logging.getLogger(__name__)

PARITY: Final = 1e-3
"""The largest difference of a logit between a network and its export."""

GOLDEN_TOLERANCE: Final = 0.01

BEFORE_CARD: Final = (
    *(NETWORK_FILE, QUANTISED_FILE, SEEN_FILE),
    *(BACKGROUND_FILE, REFERENCE_FILE, GOLDEN_FOLDER),
)
"""What is written before a folder's card, and is all that is there of a model if a kill comes."""


_LARGEST: Final = 1e4
"""Of a logit: floats would round it by as much as golden answers may differ."""


class ExportError(RuntimeError):
    """The exported network does not answer as the trained one, or that answers nothing of use."""


def unchosen(*, trained: bool) -> Rejection:
    """What a card says before thresholds are chosen: nothing is rejected.

    Args:
        trained: Whether training had pictures of none of the classes.
    """
    return Rejection(threshold=-1e9, trained=trained)  # cards hold no infinity


def write_card(path: Path, card: Card) -> ModelFolder:
    """Write ``model.json`` and the ``README.md`` that says the same for people.

    Raises:
        OSError: They cannot be written; those that were there still are.
    """
    readme = render(card).encode()
    files = card.files | {README_FILE: hashlib.sha256(readme).hexdigest()}
    write_both(path, readme, CARD_FILE, card.model_copy(update={"files": files}))
    return ModelFolder.open(path)


def write_both(path: Path, readme: bytes, card_file: str, card: Described) -> None:
    """Put both cards of a folder in their places once both are written.

    Either is of no use beside the other's older one: a full disk must not break a model that is
    measured once more.

    Args:
        path: The folder.
        readme: The card for people.
        card_file: The name of the other one's file.
        card: The other one; it is sealed.

    Raises:
        OSError: One cannot be written; what was there still is.
    """
    data = (card.sealed().model_dump_json(indent=2) + "\n").encode()
    fresh = {path / f"{name}{FRESH}": name for name in (README_FILE, card_file)}
    try:
        for file, content in zip(fresh, (readme, data), strict=True):
            file.write_bytes(content)
        for file, name in fresh.items():
            file.replace(path / name)
    finally:
        for file in fresh:
            file.unlink(missing_ok=True)


def write_golden(
    answer: Answer, labels: Sequence[str], how: Preprocessing, output: Path
) -> tuple[GoldenAnswer, ...]:
    """Draw the golden pictures into a folder and ask the network before its export about them."""
    shutil.rmtree(output / GOLDEN_FOLDER, ignore_errors=True)
    (output / GOLDEN_FOLDER).mkdir()
    for name, data in golden_pictures().items():
        (output / GOLDEN_FOLDER / name).write_bytes(data)
    return golden_answers(answer, labels, how)


def golden_answers(
    answer: Answer, labels: Sequence[str], how: Preprocessing
) -> tuple[GoldenAnswer, ...]:
    """What a network says of the golden pictures.

    Raises:
        ExportError: It says nothing that could be proved elsewhere.
    """
    answers = []
    for name, data in golden_pictures().items():
        pixels = preprocess(decode_image(data, at_least=how.decode_size), how)
        logits = answer(pixels[None])[0].tolist()
        if not all(abs(each) < _LARGEST for each in logits):
            raise ExportError(
                f"of a drawn picture the network's logits are {logits}: its training diverged. "
                "A lower learning rate helps; `pawsight train --debug learning-rate` shows which"
            )
        answers.append(
            GoldenAnswer(
                file=f"{GOLDEN_FOLDER}/{name}", logits=dict(zip(labels, logits, strict=True))
            )
        )
    return tuple(answers)


def digests(output: Path, names: Sequence[str]) -> dict[str, str]:
    """SHA-256 of files of a folder, by name."""
    return {name: digest(output / name) for name in names}


def check_parity(answer: Answer, classifier: Classifier) -> None:
    """Compare a model folder with the network before its export, alone and on 32 together.

    Raises:
        ExportError: They differ by more than :data:`PARITY` in a logit.
    """
    how = classifier.card.preprocessing
    shape = (32, 3, how.height, how.width)
    batch = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    wanted = answer(batch)
    together = classifier.run(batch).logits
    alone = np.concatenate([classifier.run(batch[i : i + 1]).logits for i in range(4)])
    worst = max(float(np.abs(together - wanted).max()), float(np.abs(alone - wanted[:4]).max()))
    if worst > PARITY:
        raise ExportError(
            f"the exported network differs from the trained one by {worst:.2g} in a logit "
            f"(at most {PARITY:g}): the weights or the exporter are not what they should be"
        )
    log.info("the network and its export agree within %.1g in every logit", worst)


def code_revision() -> str:
    """The commit of this code, marked where it was changed since; its version where installed."""
    file = Path(__file__)
    try:
        # An environment may lie in a repository of the user's, whose commit says nothing of us.
        _git("ls-files", "--error-unmatch", file.name, folder=file.parent)
        return _git(
            "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*", folder=file.parent
        )
    except (OSError, subprocess.CalledProcessError):
        return f"pawsight {version('pawsight')}"


def _git(*arguments: str, folder: Path) -> str:
    done = subprocess.run(  # noqa: S603 - fixed commands
        ["git", *arguments],  # noqa: S607 - where it lies differs
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
