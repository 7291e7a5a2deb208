"""What was decided, as a ZIP that can be trained on: the pictures and a table of their labels."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from PIL import Image, UnidentifiedImageError

from pawsight.labels import NEITHER, WRONG, is_about
from pawsight.plurals import counted
from pawsight.ui.service import RecordedAnswer

TABLE: Final = "labels.csv"
LEFT_OUT: Final = "left-out.txt"
MOST: Final = 256_000_000
"""Bytes of an export's pictures: the page holds it in memory whole, until others are decided."""


def kinds(answers: Sequence[RecordedAnswer]) -> list[frozenset[str]]:
    """The classes of the models that answered; those first of which there is most."""
    return [classes for classes, _ in Counter(map(_known, answers)).most_common()]


def to_train(
    answers: Sequence[RecordedAnswer], classes: Collection[str]
) -> list[tuple[RecordedAnswer, str]]:
    """Of each picture that is kept the answer of which something was said last, and the label.

    What is wrong, where nobody said what is right, is left out.

    Args:
        answers: Those of which something was said, the latest first.
        classes: Of the model that is to learn, without ``neither``; what was said of models of
            others is left out, unless it is about these (:func:`~pawsight.labels.is_about`).
    """
    latest: dict[str, tuple[RecordedAnswer, str]] = {}
    for each in answers:
        if each.feedback and each.digest not in latest:
            label = each.feedback.label
            if is_about(label, _known(each), classes):
                latest[each.digest] = (each, label)
    return [(each, label) for each, label in latest.values() if each.picture and label != WRONG]


def as_zip(
    decided: Sequence[tuple[RecordedAnswer, str]],
    picture: Callable[[str], bytes],
    most: int = MOST,
) -> tuple[bytes, int]:
    """A ZIP of ``labels.csv`` (columns ``path`` and ``label``) and the pictures that it names.

    What does not fit is left out, and a text in the ZIP says so. Where there is less room than the
    smallest picture so far would need, no more are fetched.

    Args:
        decided: Of :func:`to_train`.
        picture: Gives the picture of an answer by its id.
        most: Bytes of all pictures together.

    Returns:
        The ZIP, and how many pictures are left out of it.
    """
    file, table = io.BytesIO(), io.StringIO()
    taken, smallest = 0, most
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("path", "label"))
    with zipfile.ZipFile(file, "w") as archive:  # stored: pictures are compressed already
        for answer, label in decided:
            data = picture(answer.id)
            smallest = min(smallest, len(data))
            if len(data) > most:
                continue
            most -= len(data)
            taken += 1
            name = f"pictures/{answer.digest[:16]}.{_ending(data)}"
            archive.writestr(name, data)
            rows.writerow((name, label))
            if most < smallest:
                break
        left = len(decided) - taken
        if left:
            archive.writestr(LEFT_OUT, f"{left_out(left)}\n")
        archive.writestr(TABLE, table.getvalue())
    return file.getvalue(), left


def left_out(number: int) -> str:
    """What is said of the pictures that an export has no room for."""
    return (
        f"{counted(number, 'picture')} more would be too large for the page. `pawsight feedback "
        "export`, where the service runs, writes all of them."
    )


def _known(answer: RecordedAnswer) -> frozenset[str]:
    return frozenset(answer.probabilities) - {NEITHER}


def _ending(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = (image.format or "bin").lower()
    except (UnidentifiedImageError, OSError):
        return "bin"
    return "jpg" if kind in ("jpeg", "mpo") else kind
