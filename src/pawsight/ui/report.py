"""A report of ``pawsight evaluate --json``, as the page reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pawsight.invalid import in_words
from pawsight.ui.launch import REPORT_VARIABLE

EMBEDDED: Final = Path(__file__).with_name("report.json")
"""Of the embedded models, figures alone; docs/page.md names the command that made it."""
MOST_BYTES: Final = 32 * 1024 * 1024


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Counts(_Form):
    """How many of the positive and of the negative pictures reach each threshold."""

    positives: int = Field(ge=1)
    negatives: int = Field(ge=1)
    thresholds: list[float]
    true: list[int]
    false: list[int]

    @model_validator(mode="after")
    def _are_of_each_threshold(self) -> Counts:
        if not len(self.thresholds) == len(self.true) == len(self.false):
            raise ValueError("must have a number in `true` and in `false` for each threshold")
        return self

    def at(self, threshold: float) -> tuple[int, int]:
        """How many positive and how many negative pictures reach a threshold."""
        for number, each in enumerate(self.thresholds):
            if each >= threshold:
                return self.true[number], self.false[number]
        return 0, 0

    def losing(self, share: float) -> tuple[int, int]:
        """The same at the highest threshold that loses no more than a share of the positive.

        The share is taken to the nearest whole picture: 1 % of 3,298 are 33.
        """
        kept = self.positives - round(share * self.positives)
        for true, false in zip(reversed(self.true), reversed(self.false), strict=True):
            if true >= kept:
                return true, false
        return self.positives, self.negatives


class Bin(_Form):
    """Answers of about the same confidence, and the part of them that is right."""

    confidence: float
    right: float
    pictures: int


class Curves(_Form):
    """Of one model."""

    reliability: list[Bin] = []
    classes: dict[str, Counts] = {}
    any: Counts | None = None


class Group(_Form):
    """Pictures that are counted apart."""

    sort: str
    name: str
    pictures: int
    accuracy: float | None = None
    catches: float | None = None


class Mistake(_Form):
    """A picture that a model got wrong; with a small picture, if the report has them."""

    path: str
    label: str
    answer: str
    confidence: float
    score: float
    thumbnail: str = ""


class Measured(_Form):
    """A model, measured."""

    model: str
    version: str = ""
    accuracy: float | None = None
    accuracy_interval_95: tuple[float, float] | None = None
    ece: float | None = None
    loses: float | None = None
    catches: float | None = None
    auroc: float | None = None
    sent_on: float | None = None
    megabytes: float | None = None
    processor_milliseconds_a_picture: float | None = None
    confusion: dict[str, dict[str, int]] = {}
    curves: Curves = Curves()
    groups: list[Group] = []
    mistakes: dict[str, list[Mistake]] = {}


class Pair(_Form):
    """Two models on the same pictures, by McNemar's test."""

    one: str
    other: str
    only_one: int
    only_other: int
    p_value: float


class Report(_Form):
    """Models measured on the same pictures."""

    data: str
    pictures: int
    models: list[Measured]
    comparisons: list[Pair] = []
    left_out_as_seen_in_training: dict[str, int | None] = {}
    measured_though_seen_in_training: dict[str, int | None] = {}

    @property
    def trained_on(self) -> str:
        """A sentence on which of the pictures the models were trained on, as far as it is known."""
        kept = self.measured_though_seen_in_training
        counts = kept or self.left_out_as_seen_in_training
        unknown = [each.model for each in self.models if counts.get(each.model) is None]
        seen = [f"{name} learned from {count:,} of them" for name, count in kept.items() if count]
        said = [f"{', '.join(seen)}."] if seen else []
        if unknown:
            said.append(f"What {' and '.join(unknown)} learned from is not known.")
        return " ".join(said) or "None of the models learned from any of them."


class NoReport(ValueError):
    """What was given is none; ``str(error)`` says why."""


def read(data: bytes, name: str) -> Report:
    """Read a report.

    Args:
        data: Of the file.
        name: Of the file, for words.

    Raises:
        NoReport: It is none.
    """
    makes = "`pawsight evaluate … --json report.json` makes one"
    if len(data) > MOST_BYTES:
        raise NoReport(f"“{name}” is larger than {MOST_BYTES // 2**20} MB, which no report is")
    try:
        report = Report.model_validate_json(data)
    except ValidationError as error:
        what = in_words(error, whole="the file")
        raise NoReport(f"“{name}” is no report of an evaluation ({what}); {makes}") from error
    if not report.models:
        raise NoReport(f"“{name}” is a report of no models; {makes}")
    return report


def standing() -> Report:
    """The report that is shown where nobody gives another.

    Raises:
        NoReport: The file that ``$PAWSIGHT_REPORT`` names is none, or cannot be read.
    """
    path = Path(os.environ.get(REPORT_VARIABLE) or EMBEDDED)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoReport(f"{REPORT_VARIABLE} names {str(path)!r}: {error.strerror}") from error
    return read(data, path.name)
