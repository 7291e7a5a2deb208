"""Cascades of tiny models that answer by colour."""

from __future__ import annotations

from pathlib import Path

from pawsight.inference.artifact import Measurement
from pawsight.inference.cascade_card import (
    CURVE_FILE,
    CascadeCard,
    Choice,
    Member,
    Outcome,
)
from pawsight.inference.catalog import resolve
from pawsight.training.cascade_folder import write_cascade
from tests.model_folders import make_model_folder

FAST, STRONG = "fast", "strong"
WEIGHT = 0.25


def make_cascade_folder(path: Path, fast: str = f"../{FAST}", strong: str = f"../{STRONG}") -> Path:
    """Write a cascade's folder, and beside it those of its members, where none lie there.

    The fast model is sure of red (cat) and blue (dog), and that green is neither. Of black, which
    is neither, and of purple it is unsure. The strong one looks at larger pictures.

    Args:
        path: The folder; made if it is not there.
        fast: How the card names the fast member.
        strong: And the strong one.

    Returns:
        The folder.
    """
    path.mkdir(parents=True, exist_ok=True)
    members = (path.parent / FAST, path.parent / STRONG)
    for folder, strength, side in zip(members, (1.0, 1.5), (32, 48), strict=True):
        if not folder.exists():
            make_model_folder(folder, strength=strength, side=side)
    (path / CURVE_FILE).write_text("<svg/>\n", encoding="utf-8")
    cards = [resolve(str(folder)).open().card for folder in members]
    outcome = Outcome(sent_on=0.1, accuracy=1.0, loses=0.0, catches=1.0)
    usual = Choice(
        may_lose=0.01,
        confidence=0.8,
        accept=6.0,
        reject=-2.0,
        weight=WEIGHT,
        reject_together=4.0,
        outcome=outcome,
    )
    strict = usual.model_copy(update={"may_lose": 0.5, "accept": 30.0, "reject_together": 30.0})
    measured = Measurement(data="colours", pictures=2, accuracy=1.0)
    card = CascadeCard(
        name="both",
        description="Asks one, then the other.",
        architecture="cascade of fast and strong",
        labels=("cat", "dog"),
        metrics=(measured,),
        files={},
        fast=Member.of(fast, cards[0]),
        strong=Member.of(strong, cards[1]),
        choices=(usual, strict),
        default=0,
        alone=(measured, measured),
        curve=(outcome,),
        data_digest="0" * 64,
    )
    return write_cascade(path, card).path
