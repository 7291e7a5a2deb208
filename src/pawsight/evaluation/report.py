"""Models side by side on the same pictures: everything that a report says, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.parallel import map_files
from pawsight.evaluation.curves import curves
from pawsight.evaluation.evaluate import Evaluation, Mask
from pawsight.evaluation.metrics import mcnemar
from pawsight.html import thumbnail
from pawsight.images.decode import decode
from pawsight.images.files import read_file
from pawsight.labels import NEITHER

WORST: Final = 12
"""How many mistakes of each sort are shown."""

Shown: TypeAlias = Literal["none", "paths", "pictures"]

MOST_GROUPS: Final = 50
"""Where the kinds are more, such as a folder for each day, they are not counted apart."""


@dataclass(frozen=True)
class Group:
    """Pictures that are counted apart.

    Attributes:
        sort: What tells such groups from each other: ``kind`` or ``shape``.
        name: Of the group.
        rows: Which pictures belong to it [N].
    """

    sort: str
    name: str
    rows: Mask


@dataclass(frozen=True)
class PairComparison:
    """Whether two models differ by more than chance on the classes' pictures.

    Attributes:
        one: Name of a model.
        other: Of another.
        only_one: Pictures that the one alone gets right.
        only_other: Pictures that the other alone gets right.
        p_value: Of McNemar's exact test.
    """

    one: str
    other: str
    only_one: int
    only_other: int
    p_value: float


@dataclass(frozen=True)
class Mistake:
    """A picture that a model got wrong.

    Attributes:
        path: Its file.
        label: The right one.
        answer: The model's.
        confidence: Of the class that the model would name, in [0, 1].
        score: How much it looks like any of the classes.
    """

    path: str
    label: str
    answer: str
    confidence: float
    score: float


@dataclass(frozen=True)
class Report:
    """What models answered about the same pictures.

    Attributes:
        data: Name of the data.
        frame: ``path`` and ``label`` of the N pictures, and ``kind`` where the table has it.
        evaluations: One for each model, all on these pictures.
        sizes: Bytes of each model's folder.
        seen: Model → how many pictures it was trained on, or on their like; None for a model that
            does not say what it was trained on.
        parents: Model → the one on whose network it is a new head, whose training pictures count
            among them; nothing for others.
        keeps_seen: Whether those are measured all the same, and not left out.
    """

    data: str
    frame: pd.DataFrame
    evaluations: Sequence[Evaluation]
    sizes: Sequence[int]
    seen: dict[str, int | None] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    keeps_seen: bool = False

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The pictures by kind (the table's column, else their folder) and by shape."""
        return tuple(self._groups())

    def _groups(self) -> Iterator[Group]:
        for sort, names in (("kind", self._kinds()), ("shape", self._shapes())):
            unique = sorted(set(names))
            if 1 < len(unique) <= MOST_GROUPS:
                for name in unique:
                    yield Group(sort, name, np.asarray(names) == name)

    def _kinds(self) -> list[str]:
        if "kind" in self.frame:
            return [str(kind) or "no kind" for kind in self.frame["kind"]]
        return [Path(path).parent.name for path in self.frame["path"]]

    def _shapes(self) -> list[str]:
        return map_files(_shape, self.frame["path"].tolist())

    def comparisons(self) -> list[PairComparison]:
        """Every model against every other."""
        found = []
        for one, other in combinations(self.evaluations, 2):
            known = one.known
            left, right = one.right[known], other.right[known]
            found.append(
                PairComparison(
                    one.model.name,
                    other.model.name,
                    int((left & ~right).sum()),
                    int((~left & right).sum()),
                    mcnemar(left, right),
                )
            )
        return found

    def mistakes(self, evaluation: Evaluation) -> dict[str, list[Mistake]]:
        """A model's worst mistakes of each sort, the worst first."""
        known, rejected, right = evaluation.known, evaluation.rejected, evaluation.right
        confidence = evaluation.probabilities.max(axis=1)
        sorts = {
            "the wrong class": (known & ~right, -confidence),
            f"one of the classes, called {NEITHER}": (known & rejected, evaluation.scores),
            f"{NEITHER}, called one of the classes": (~known & ~rejected, -evaluation.scores),
        }
        return {
            title: [self._mistake(evaluation, row) for row in _lowest(order, rows)]
            for title, (rows, order) in sorts.items()
            if rows.any()
        }

    def _mistake(self, evaluation: Evaluation, row: int) -> Mistake:
        best = int(evaluation.answers[row])
        return Mistake(
            path=str(self.frame["path"].iloc[row]),
            label=str(self.frame["label"].iloc[row]),
            answer=NEITHER if evaluation.rejected[row] else evaluation.classes[best],
            confidence=float(evaluation.probabilities[row, best]),
            score=float(evaluation.scores[row]),
        )

    def as_dict(self, mistakes: Shown = "paths") -> dict[str, Any]:
        """Every figure, for a JSON file.

        Args:
            mistakes: What is said of the worst of them: nothing (``none``), where the pictures lie
                (``paths``), or their file's name and a small picture as a data URI (``pictures``).
        """
        return {
            "data": self.data,
            "pictures": len(self.frame),
            "left_out_as_seen_in_training": {} if self.keeps_seen else self.seen,
            "measured_though_seen_in_training": self.seen if self.keeps_seen else {},
            "heads_on": self.parents,
            "models": [
                {
                    "model": each.model.name,
                    "version": each.model.version,
                    "source": each.model.source,
                    **each.as_dict(),
                    "threshold": each.threshold if isfinite(each.threshold) else None,
                    "curves": curves(each),
                    "megabytes": round(size / 1e6, 1),
                    "milliseconds_a_picture": round(1000 * each.seconds / len(each.labels), 2),
                    "processor_milliseconds_a_picture": round(
                        1000 * each.processor_seconds / len(each.labels), 2
                    ),
                    "groups": [
                        {"sort": group.sort, "name": group.name, **each.of(group.rows).as_dict()}
                        for group in self.groups
                    ],
                    "mistakes": {
                        title: [_told(mistake, mistakes) for mistake in found]
                        for title, found in self.mistakes(each).items()
                        if mistakes != "none"
                    },
                }
                for each, size in zip(self.evaluations, self.sizes, strict=True)
            ],
            "comparisons": [asdict(each) for each in self.comparisons()],
        }


def _told(mistake: Mistake, how: Shown) -> dict[str, Any]:
    told = asdict(mistake)
    if how == "pictures":
        told |= {"path": Path(mistake.path).name, "thumbnail": thumbnail(mistake.path)}
    return told


def _lowest(order: NDArray[np.float64], rows: Mask) -> list[int]:
    """Numbers of the rows that stand lowest in an order."""
    numbers = np.flatnonzero(rows)
    return [int(row) for row in numbers[np.argsort(order[numbers], kind="stable")][:WORST]]


def _shape(path: str) -> str:
    height, width, _ = decode(read_file(Path(path)), at_least=(8, 8)).shape
    if width > 1.25 * height:
        return "landscape"
    return "portrait" if height > 1.25 * width else "about square"
