"""A model is a folder: the one contract between those who train and those who serve."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from pawsight.images.preprocess import Preprocessing
from pawsight.inference.errors import BrokenModel
from pawsight.inference.rejection import Rejection
from pawsight.inference.sealed import Digest, Sealed, Share, Strict, read_sealed
from pawsight.labels import NEITHER

SCHEMA_VERSION: Final = 1
CARD_FILE = "model.json"
NETWORK_FILE = "model.onnx"
QUANTISED_FILE = "model.int8.onnx"
SEEN_FILE = "seen.bin"
BACKGROUND_FILE = "background.npy"
REFERENCE_FILE = "reference.npz"
README_FILE = "README.md"
GOLDEN_FOLDER = "golden"
RUN_FOLDER = "training"
"""What a training keeps beside its model: not of the folder, and not copied with it."""

RelativePath = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][\w.-]*)*$")
]


class Measurement(Strict):
    """What a model reached on some data; None where the data has no pictures of the kind.

    Attributes:
        data: Name of the data and split.
        pictures: How many were measured, of the classes and of none of them.
        accuracy: The part of the classes' pictures whose most probable class is the right one,
            rejected or not.
        ece: Expected calibration error on them, 15 bins of equal width, in [0, 1].
        loses: The part of them that is called ``neither``.
        catches: The part of the other pictures that is called ``neither``.
        auroc: How often one of the classes' pictures scores higher than one of the others.
        sent_on: The part of all pictures that a cascade's strong model was asked about.
    """

    data: str
    pictures: Annotated[int, Field(ge=1)]
    accuracy: Share | None = None
    ece: Share | None = None
    loses: Share | None = None
    catches: Share | None = None
    auroc: Share | None = None
    sent_on: Share | None = None


class Provenance(Strict):
    """Where a model comes from.

    Attributes:
        started_from: ``random weights``, or a checkpoint and its licence.
        licence: SPDX identifier of the weights.
        data: What it was trained on, in words.
        data_digest: SHA-256 over the training table's splits, labels and pictures; None if unknown.
        seed: Of everything random; None if unknown.
        code_revision: The commit of the code that made it, or the version of an installed one.
        libraries: Names and versions.
        recipe: Everything that the training varied.
    """

    started_from: str
    licence: str
    data: str
    data_digest: Digest | None
    seed: int | None
    code_revision: str
    libraries: dict[str, str]
    recipe: dict[str, Any]


MOST_TOLERATED: Final = 2.0
"""The most that integers may ever move a logit by."""


class GoldenAnswer(Strict):
    """What the trained network answered about one picture of the folder.

    Attributes:
        file: Relative to the model folder.
        logits: By label.
    """

    file: RelativePath
    logits: dict[str, float]


class Quantised(Strict):
    """What proves ``model.int8.onnx``, the same network in integer arithmetic.

    Attributes:
        golden: Its answers about the card's golden pictures, computed in float32 from the rounded
            numbers, as the arithmetic prescribes.
        golden_tolerance: By how much a logit may differ where integers are really computed.
    """

    golden: Annotated[tuple[GoldenAnswer, ...], Field(min_length=2)]
    golden_tolerance: Annotated[float, Field(gt=0, le=MOST_TOLERATED)]


AnyDescribed = TypeVar("AnyDescribed", bound="Described")


class Described(Sealed):
    """What every card says, that of a network and that of a cascade.

    Attributes:
        schema_version: Of this form.
        name: Of the model.
        description: One sentence.
        architecture: For people.
        labels: In the order of the probabilities.
        metrics: What was measured, and on what.
        files: SHA-256 of every file of the folder but the card itself.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    description: str
    architecture: str
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    metrics: tuple[Measurement, ...]
    files: dict[RelativePath, Digest]

    @model_validator(mode="after")
    def _labels_differ(self) -> Described:
        if len(set(self.labels)) != len(self.labels) or NEITHER in self.labels:
            raise ValueError(f"labels must be different from each other and from {NEITHER!r}")
        return self

    def measured(self: AnyDescribed, measurement: Measurement) -> AnyDescribed:
        """The same card with a measurement, in place of an older one on the same data."""
        others = tuple(each for each in self.metrics if each.data != measurement.data)
        return self.model_copy(update={"metrics": (*others, measurement)})


class Card(Described):
    """``model.json``: the card as data.

    Attributes:
        preprocessing: How pixels become the network's input.
        temperature: Divides the logits before the softmax.
        rejection: When the answer is ``neither``.
        provenance: Where it comes from.
        golden: Pictures and the answers that prove the folder.
        golden_tolerance: By how much a logit may differ from the trained network's.
        quantised: Of the network in int8; None where the folder has none.
    """

    preprocessing: Preprocessing
    temperature: Annotated[float, Field(gt=0)]
    rejection: Rejection
    provenance: Provenance
    golden: Annotated[tuple[GoldenAnswer, ...], Field(min_length=2)]
    golden_tolerance: Annotated[float, Field(gt=0, le=0.1)]
    quantised: Quantised | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Card:
        for answer in (*self.golden, *(self.quantised.golden if self.quantised else ())):
            if set(answer.logits) != set(self.labels):
                raise ValueError(f"{answer.file}: its logits do not name the labels")
            if answer.file not in self.files:
                raise ValueError(f"{answer.file} has no digest in files")
        needed = (NETWORK_FILE, QUANTISED_FILE) if self.quantised else (NETWORK_FILE,)
        for file in needed:
            if file not in self.files:
                raise ValueError(f"{file} has no digest in files")
        return self


@dataclass(frozen=True)
class Folder(ABC, Generic[AnyDescribed]):
    """A folder on disk whose card was read and whose files are the ones that the card describes.

    Attributes:
        path: Of the folder.
        card: What its card file says.
    """

    card_file: ClassVar[str]

    path: Path
    card: AnyDescribed

    @property
    @abstractmethod
    def version(self) -> str:
        """Twelve digits that another model of the name does not have."""

    @cached_property
    def size(self) -> int:
        """Of all files in bytes, when they were verified or it was first asked for."""
        names = (*self.card.files, self.card_file)
        return sum((self.path / name).stat().st_size for name in names)

    def verify_digests(self) -> None:
        """Compare every file with its digest.

        Raises:
            BrokenModel: A file is missing or differs from its digest.
        """
        for name, expected in self.card.files.items():
            file = self.path / name
            if not file.is_file():
                raise BrokenModel(f"model folder {self.path.name!r}: {name} is missing")
            if digest(file) != expected:
                raise BrokenModel(
                    f"model folder {self.path.name!r}: {name} was changed: its SHA-256 is not the "
                    f"one in {self.card_file}; export the model again or restore the file"
                )
        self.size  # noqa: B018 - is kept: the files may be gone while the model answers


@dataclass(frozen=True)
class ModelFolder(Folder[Card]):
    """A network on disk: ``model.json`` and what it describes."""

    card_file = CARD_FILE

    @classmethod
    def open(cls, path: Path) -> ModelFolder:
        """Read the card and verify every file's digest.

        Raises:
            BrokenModel: There is no card, it does not follow the schema, or a file is missing or
                differs from its digest.
        """
        folder = cls(path, read_sealed(path / CARD_FILE, Card))
        folder.verify_digests()
        return folder

    @property
    def network(self) -> Path:
        """``model.onnx``."""
        return self.path / NETWORK_FILE

    @property
    def version(self) -> str:
        """The first twelve digits of the network's SHA-256."""
        return self.card.files[NETWORK_FILE][:12]


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
