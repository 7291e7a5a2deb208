"""What is written about each picture, answered or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pawsight.bulk.items import Fingerprint
from pawsight.images.decode import Limits, of_other_limits
from pawsight.images.errors import ImageError
from pawsight.inference.prediction import Prediction

Row: TypeAlias = "dict[str, Any]"
"""A record as JSON has it."""

UNREAD: Final = "cannot be read"
"""How errors begin that may pass: of files and networks, not of pictures."""

_FIELDS: Final = (
    "path",
    "label",
    "confidence",
    "probabilities",
    "model",
    "decided_by",
    "may_lose",
    "size",
    "modified",
    "error",
)


@dataclass(frozen=True, slots=True)
class Record:
    """One picture of many.

    Attributes:
        name: As the source named it.
        prediction: The answer, or None.
        error: Why there is no answer, or None.
        fingerprint: Of the file that was answered about; None where there is no file.
    """

    name: str
    prediction: Prediction | None
    error: str | None
    fingerprint: Fingerprint | None = None

    def row(self, may_lose: float | None = None) -> Row:
        """The record as JSON has it.

        Args:
            may_lose: The setting with which it was answered.
        """
        answer, file = self.prediction, self.fingerprint
        return {
            "path": self.name,
            "label": answer and answer.label,
            "confidence": answer and answer.confidence,
            "probabilities": answer and answer.probabilities,
            "model": answer and str(answer.model),
            "decided_by": answer and str(answer.decided_by),
            "may_lose": may_lose,
            "size": file and file.size,
            "modified": file and file.modified,
            "error": self.error,
        }


def is_row(value: object) -> bool:
    """Whether a value has the form of :meth:`Record.row`."""
    return isinstance(value, dict) and tuple(value) == _FIELDS


def line(row: Row) -> str:
    """A row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def columns(labels: Sequence[str]) -> list[str]:
    """Of a flat table: the fields of a row, with a column ``p_<label>`` for each probability."""
    shares = [f"p_{label}" for label in labels]
    at = _FIELDS.index("probabilities")
    return [*_FIELDS[:at], *shares, *_FIELDS[at + 1 :]]


def flat(row: Row) -> Row:
    """A row of a flat table."""
    shares = row["probabilities"] or {}
    return {name: value for name, value in row.items() if name != "probabilities"} | {
        f"p_{label}": share for label, share in shares.items()
    }


def nested(flat_row: Row, labels: Sequence[str]) -> Row:
    """What :func:`flat` was given; a table may have columns for labels of other models too."""
    found = {label: flat_row[f"p_{label}"] for label in labels}
    shares = {label: share for label, share in found.items() if share is not None} or None
    return {name: shares if name == "probabilities" else flat_row[name] for name in _FIELDS}


def would_be_said_again(error: str, limits: Limits) -> bool:
    """Whether an error of an earlier run holds: none that may pass, nor one of other limits."""
    return not error.startswith(UNREAD) and not of_other_limits(error, limits)


def reason(error: ImageError | OSError) -> str:
    """Why a picture has no answer, in words that any encoding takes."""
    words = f"{UNREAD}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
    return words.encode("utf-8", "backslashreplace").decode("utf-8")
