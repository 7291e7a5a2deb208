"""Two runs over the same pictures, compared as streams."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pawsight.bulk.digests import digest, place_in
from pawsight.bulk.rows import Row
from pawsight.labels import ERROR


@dataclass(frozen=True, slots=True)
class Change:
    """What two runs say of a picture, where it is not the same.

    Attributes:
        path: Of the picture.
        before: Its label in the first run; ``error`` if it had none, None if it was not there.
        after: The same in the second run.
        confidence_before: Of the first run's answer, else None.
        confidence_after: Of the second run's answer, else None.
    """

    path: str
    before: str | None
    after: str | None
    confidence_before: float | None
    confidence_after: float | None


@dataclass
class Difference:
    """How much differs.

    Attributes:
        same: Pictures with the same label, and confidences that differ by no more than what counts.
        moved: With the same label and a confidence that differs by more.
        flipped: With another label.
        only_before: In the first run alone.
        only_after: In the second run alone.
        flips: How often each pair of labels.
    """

    same: int = 0
    moved: int = 0
    flipped: int = 0
    only_before: int = 0
    only_after: int = 0
    flips: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Pictures that are not the same in both."""
        return self.moved + self.flipped + self.only_before + self.only_after


def compare(
    before: Callable[[], Iterable[Row]],
    after: Iterable[Row],
    difference: Difference,
    moved: float = 0.1,
) -> Iterator[Change]:
    """Go through two runs, in any orders, and yield what differs.

    Of the first run 15 bytes a picture are kept in memory; the second is a stream. Confidences are
    compared with the precision of 32 bits, of which the first run's are. A picture that has several
    records in a run counts once, but for those of the second that the first does not have.

    Args:
        before: Gives the first run's rows; called twice.
        after: The second run's.
        difference: Is filled on the way.
        moved: By how much a confidence must differ, in [0, 1].
    """
    index = _Index(before())
    for row in after:
        label, confidence = _said(row)
        place = index.place(row["path"])
        if place is None:
            difference.only_after += 1
            yield Change(row["path"], None, label, None, confidence)
            continue
        if index.was_met(place):
            continue
        old, sureness = index.said(place)
        if old != label:
            difference.flipped += 1
            difference.flips[old, label] = difference.flips.get((old, label), 0) + 1
        elif confidence is not None and abs(_kept(confidence) - (sureness or 0.0)) > moved:
            difference.moved += 1
        else:
            difference.same += 1
            continue
        yield Change(row["path"], old, label, sureness, confidence)
    for row in before():
        place = index.place(row["path"])
        if place is not None and not index.was_met(place):
            difference.only_before += 1
            label, confidence = _said(row)
            yield Change(row["path"], label, None, confidence, None)


class _Index:
    """What a run said of each picture, by a digest of its path."""

    def __init__(self, rows: Iterable[Row]) -> None:
        digests, labels, confidences = array("Q"), array("H"), array("f")
        self._names: dict[str, int] = {}
        for row in rows:
            label, confidence = _said(row)
            digests.append(digest(row["path"]))
            labels.append(self._names.setdefault(label, len(self._names)))
            confidences.append(-1.0 if confidence is None else confidence)
        order = np.argsort(np.frombuffer(digests, np.uint64), kind="stable")
        self._digests = np.frombuffer(digests, np.uint64)[order]
        self._labels = np.frombuffer(labels, np.uint16)[order]
        self._confidences = np.frombuffer(confidences, np.float32)[order]
        self._met = bytearray(len(order))
        self._by_number = list(self._names)

    def was_met(self, place: int) -> bool:
        """Whether this was asked before."""
        before = bool(self._met[place])
        self._met[place] = True
        return before

    def said(self, place: int) -> tuple[str, float | None]:
        confidence = float(self._confidences[place])
        return self._by_number[self._labels[place]], None if confidence < 0 else confidence

    def place(self, path: str) -> int | None:
        return place_in(self._digests, digest(path))


def _kept(confidence: float) -> float:
    return float(np.float32(confidence))


def _said(row: Row) -> tuple[str, float | None]:
    return (ERROR, None) if row["error"] is not None else (row["label"], row["confidence"])
