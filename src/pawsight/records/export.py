"""What people said of answers, as a table that `pawsight train` takes."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from pawsight.records.pictures import Pictures
from pawsight.records.record import WRONG
from pawsight.records.store import labelled


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of the pictures that something was said of.

    Attributes:
        rows: In the table.
        without_picture: Left out, as their picture is not kept.
        only_wrong: Left out, as nobody said what would be right.
    """

    rows: int
    without_picture: int
    only_wrong: int


def export(
    connection: Connection, pictures: Pictures, output: Path, images: Path | None
) -> Exported:
    """Write a CSV with the columns ``path`` and ``label``, each picture once.

    Its label is what was said last, be it of another model's answer.

    Args:
        connection: In a transaction.
        pictures: The kept ones.
        output: The table; replaced.
        images: The folder to copy pictures into, from which the table's paths start then; without
            it they are absolute.

    Raises:
        OSError: Something cannot be written.
    """
    rows, without_picture, only_wrong = [], 0, 0
    for digest, label in sorted(labelled(connection)):
        path = pictures.find(digest)
        if label == WRONG:
            only_wrong += 1
        elif path is None:
            without_picture += 1
        else:
            rows.append((path, label))
    if images is not None:
        images.mkdir(parents=True, exist_ok=True)
        for path, _ in rows:
            shutil.copyfile(path, images / path.name)
    with output.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label"))
        table.writerows((path.name if images else path.resolve(), label) for path, label in rows)
    return Exported(len(rows), without_picture, only_wrong)
