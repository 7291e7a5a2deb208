"""A cascade is a folder, too: a card that names two models and says when the second is asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from pawsight.inference.artifact import (
    NETWORK_FILE,
    QUANTISED_FILE,
    Card,
    Described,
    Folder,
    Measurement,
)
from pawsight.inference.errors import BrokenModel
from pawsight.inference.rejection import strictest
from pawsight.inference.sealed import Digest, Share, Strict, read_sealed

CASCADE_FILE: Final = "cascade.json"
CURVE_FILE: Final = "curve.svg"


class Member(Strict):
    """A model that a cascade asks, and no other.

    Attributes:
        name: What it is asked for by, or its folder's path from the cascade's folder.
        networks: SHA-256 of its networks, by file.
        temperature: Of its calibration, which makes confidences of logits.
    """

    name: Annotated[str, Field(min_length=1)]
    networks: dict[str, Digest]
    temperature: float

    @classmethod
    def of(cls, name: str, card: Card) -> Member:
        """The model that has this card."""
        return cls(name=name, networks=_networks(card), temperature=card.temperature)

    @property
    def version(self) -> str:
        """The first twelve digits of its network's SHA-256."""
        return self.networks[NETWORK_FILE][:12]

    def fits(self, card: Card) -> bool:
        """Whether the model of this card answers as the one that thresholds were chosen for."""
        return self.networks == _networks(card) and self.temperature == card.temperature


def _networks(card: Card) -> dict[str, str]:
    return {file: card.files[file] for file in (NETWORK_FILE, QUANTISED_FILE) if file in card.files}


class Outcome(Strict):
    """What comes of sending on some of the validation pictures.

    Attributes:
        sent_on: The part of all pictures that the strong model was asked about.
        accuracy: The part of the classes' pictures whose most probable class is the right one,
            rejected or not.
        loses: The part of them that is called ``neither``.
        catches: The part of the others that is called ``neither``; None where there were none.
    """

    sent_on: Share
    accuracy: Share
    loses: Share
    catches: Share | None


class Choice(Strict):
    """When the fast model decides alone, and when both together reject.

    Attributes:
        may_lose: The part of the classes' pictures that the strong model alone is expected to lose
            at the threshold of its that this choice is to match; None where its card does not say.
        confidence: The fast model names a class alone where its calibrated confidence is at least
            this, and
        accept: its score at least this.
        reject: It says ``neither`` alone where its score is lower than this.
        weight: Where the strong model is asked, too, it names the class, and the part that the fast
            one's score has in the mean of both is this.
        reject_together: There, ``neither`` is said where that mean is lower than this.
        outcome: Of all this, on the validation pictures.
    """

    may_lose: Share | None
    confidence: Share
    accept: float
    reject: float
    weight: Share
    reject_together: float
    outcome: Outcome

    @model_validator(mode="after")
    def _in_order(self) -> Choice:
        if self.reject > self.accept:
            raise ValueError("what is rejected alone must score lower than what is accepted alone")
        return self


class CascadeCard(Described):
    """``cascade.json``: the card as data.

    Attributes:
        fast: Is asked first.
        strong: Is asked where the fast one is unsure.
        choices: To choose from, each to match one threshold of the strong model, by rising ones.
        default: The number of the one that holds where nobody chooses.
        alone: What the fast and the strong model reach alone on the validation pictures.
        curve: What each share that is sent on gives, by rising share.
        data_digest: SHA-256 over the splits, labels and pictures that the thresholds were chosen
            on.
    """

    fast: Member
    strong: Member
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    default: Annotated[int, Field(ge=0)]
    alone: tuple[Measurement, Measurement]
    curve: tuple[Outcome, ...]
    data_digest: Digest

    @model_validator(mode="after")
    def _consistent(self) -> CascadeCard:
        if self.default >= len(self.choices):
            raise ValueError(f"there is no choice number {self.default}")
        return self

    @property
    def choice(self) -> Choice:
        """The one that holds where nobody chooses."""
        return self.choices[self.default]

    def losing(self, at_most: float) -> Choice:
        """The choice that rejects most and is expected to lose at most this part.

        Args:
            at_most: Of pictures of the classes, in (0, 1].

        Raises:
            ValueError: No choice promises as little; says which there are.
        """
        known = [(each.may_lose, each) for each in self.choices if each.may_lose is not None]
        return strictest(known, at_most)


@dataclass(frozen=True)
class CascadeFolder(Folder[CascadeCard]):
    """A cascade on disk: ``cascade.json`` and what it describes."""

    card_file = CASCADE_FILE

    @classmethod
    def open(cls, path: Path) -> CascadeFolder:
        """Read the card and verify every file's digest.

        Raises:
            BrokenModel: There is no card, it does not follow the schema, or a file is missing or
                differs from its digest.
        """
        try:
            folder = cls(path, read_sealed(path / CASCADE_FILE, CascadeCard))
        except BrokenModel as error:  # an older version's, say
            raise BrokenModel(f"{error}; `pawsight cascade` makes the folder anew") from error
        folder.verify_digests()
        return folder

    @property
    def version(self) -> str:
        """The first twelve digits of a SHA-256 over members and thresholds."""
        deciding = self.card.model_dump(mode="json", include={"fast", "strong", "choices"})
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]
