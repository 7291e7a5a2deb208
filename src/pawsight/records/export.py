"""What people said of answers, as a table that `pawsight train` takes."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from pawsight.records.pictures import Pictures
from pawsight.records.record import WRONG
from pawsight.records.store import labelled


@dataclass(frozen=True, slots=True)
class Corrections:
    """The pictures that something was said of.

    Attributes:
        rows: Each picture that is kept, once, with the label that was said last.
        without_picture: How many are not kept.
        only_wrong: Of how many nobody said what would be right.
    """

    rows: Sequence[tuple[Path, str]]
    without_picture: int
    only_wrong: int


def corrections(connection: Connection, pictures: Pictures) -> Corrections:
    """What was said last of each picture, be it of another model's answer.

    Args:
        connection: In a transaction.
        pictures: The kept ones.
    """
    rows, without_picture, only_wrong = [], 0, 0
    for digest, label in sorted(labelled(connection)):
        path = pictures.find(digest)
        if label == WRONG:
            only_wrong += 1
        elif path is None:
            without_picture += 1
        else:
            rows.append((path.resolve(), label))
    return Corrections(rows, without_picture, only_wrong)


def write_table(rows: Sequence[tuple[Path, str]], output: Path, images: Path | None) -> None:
    """Write a CSV with the columns ``path`` and ``label``.

    Args:
        rows: Of :class:`Corrections`.
        output: The table; replaced.
        images: The folder to copy pictures into, from which the table's paths start then; without
            it they are absolute.

    Raises:
        OSError: Something cannot be written.
    """
    if images is not None:
        images.mkdir(parents=True, exist_ok=True)
        for path, _ in rows:
            shutil.copyfile(path, images / path.name)
    with output.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label"))
        table.writerows((path.name if images else path, label) for path, label in rows)
