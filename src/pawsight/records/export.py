"""What people said of answers, as a table that `pawsight train` takes."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from pawsight.labels import WRONG, is_about
from pawsight.records.pictures import Pictures
from pawsight.records.store import everything_said


@dataclass(frozen=True, slots=True)
class Corrections:
    """The pictures that something was said of which a model of some classes can learn.

    Attributes:
        rows: Each picture that is kept, once, with the label that was said last.
        without_picture: How many are not kept.
        only_wrong: Of how many nobody said what would be right.
        of_others: Of how many was only said what models of other classes can learn of.
    """

    rows: Sequence[tuple[Path, str]]
    without_picture: int
    only_wrong: int
    of_others: int


def kinds(connection: Connection) -> dict[frozenset[str], list[str]]:
    """The classes of the models of whose answers something was said, and those models' names."""
    found: dict[frozenset[str], list[str]] = {}
    for _, _, model, classes in everything_said(connection):
        names = found.setdefault(classes, [])
        if model not in names:
            names.append(model)
    return found


def corrections(
    connection: Connection, pictures: Pictures, classes: Collection[str]
) -> Corrections:
    """What was said last of each picture, as far as it is about some classes.

    Args:
        connection: In a transaction.
        pictures: The kept ones.
        classes: Of the model that is to learn, without ``neither``; see
            :func:`~pawsight.labels.is_about`.
    """
    latest: dict[str, str] = {}
    of_others: set[str] = set()
    for digest, label, _, known in everything_said(connection):
        if is_about(label, known, classes):
            latest[digest] = label
        else:
            of_others.add(digest)
    rows, without_picture, only_wrong = [], 0, 0
    for digest, label in sorted(latest.items()):
        path = pictures.find(digest)
        if label == WRONG:
            only_wrong += 1
        elif path is None:
            without_picture += 1
        else:
            rows.append((path.resolve(), label))
    return Corrections(rows, without_picture, only_wrong, len(of_others - latest.keys()))


def write_table(rows: Sequence[tuple[Path, str]], output: Path, images: Path | None) -> None:
    """Write a CSV with the columns ``path`` and ``label``.

    Args:
        rows: Of :class:`Corrections`.
        output: The table, a new file.
        images: The folder to copy pictures into, from which the table's paths start then; without
            it they are absolute.

    Raises:
        OSError: Something cannot be written, or the table is there already.
    """
    if images is not None:
        images.mkdir(parents=True, exist_ok=True)
        for path, _ in rows:
            shutil.copyfile(path, images / path.name)
    with output.open("x", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label"))
        table.writerows((path.name if images else path, label) for path, label in rows)
