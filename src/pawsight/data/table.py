"""A table of labelled pictures, read and cleaned: what can be used, and why the rest cannot."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pawsight.data.cleaning import clean, printable
from pawsight.data.columns import Row, normalise_label, read_rows
from pawsight.data.folders import folder_rows
from pawsight.data.parallel import Progress, map_files
from pawsight.data.problems import EXAMPLES, NothingUsable, Problem, TableError, report
from pawsight.labels import NEITHER

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled pictures.

    Attributes:
        frame: One usable picture a row: ``path`` (absolute), ``label`` (lower case), and ``split``
            (train, validation or test), ``group`` and ``kind`` where the source has them. ``group``
            is empty where the picture belongs to none; ``kind`` is what reports count apart. The
            index counts from 0.
        classes: The labels, sorted, without ``neither``, which marks pictures of none of them.
        problems: One for each row that is not used, by row.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    problems: tuple[Problem, ...]

    def summary(self, examples: int = EXAMPLES) -> str:
        """Report what is used and what is not, and why, over several lines for people.

        Args:
            examples: How many rows of each kind of problem are shown.
        """
        usable = len(self.frame)
        lines = [f"{usable} of {usable + len(self.problems)} pictures can be used"]
        lines.append("classes: " + _counts(self.frame["label"]))
        if "split" in self.frame:
            lines.append("splits: " + _counts(self.frame["split"]))
        return "\n".join(lines + [report(self.problems, examples)] * bool(self.problems))


def read_table(
    source: str | Path | pd.DataFrame,
    images: str | Path | None = None,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    classes: Sequence[str] | None = None,
    check_images: bool = True,
    min_per_class: int = 2,
    within: Path | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a table of paths and labels, and find every row that cannot be used.

    Labels that differ in case and blanks alone are one class. Labels that are found, not named in
    ``classes``, are classes if they have at least a fiftieth of the commonest one's pictures: three
    birds beside 300 dogs are reported, not trained on. Where ``min_per_class`` is 1, all are.

    A picture that is given twice, under one name or two, counts once (for testing, where its rows
    name several splits); one with two labels is left out.

    Args:
        source: A CSV file, or a DataFrame.
        images: The folder that relative paths start from; ``None``: the CSV's own folder, or the
            current one for a DataFrame.
        path_column: The column of paths; ``None``: found by a usual name.
        label_column: The column of labels; ``None``: found by a usual name.
        classes: The classes, in any spelling; ``None``: found.
        check_images: Whether every file is decoded and compared with the others by its bytes;
            otherwise it is only seen to exist.
        min_per_class: A class with fewer usable pictures is left out. Two can be trained on; one is
            enough to measure with.
        within: The folder that all pictures have to lie in, where it is somebody else who wrote the
            table: other rows are problems, and no file elsewhere is looked at.
        progress: Called with how many files were decoded and how many there are.

    Returns:
        The usable pictures, at least one, and the problems.

    Raises:
        TableError: The source is no table, its columns are not clear, or nothing in it is usable.
    """
    if isinstance(source, str):
        source = Path(source)
    images = None if images is None else Path(images)
    if images is not None and not images.is_dir():
        raise TableError(f"{images} is not a folder")
    rows = read_rows(source, images, path_column, label_column)
    outside: list[Problem] = []
    if within is not None:
        rows, outside = _within(rows, within)
    return _table(rows, outside, classes, check_images, min_per_class, progress)


def table_from_folder(
    images: Path,
    *,
    classes: Sequence[str] | None = None,
    check_images: bool = True,
    min_per_class: int = 2,
    progress: Progress | None = None,
) -> Table:
    """Make a table of a folder, as :func:`pawsight.data.folders.folder_rows` reads the labels.

    Args:
        images: The folder.
        classes: As for :func:`read_table`, and so are the others.
        check_images: Likewise.
        min_per_class: Likewise.
        progress: Likewise.

    Returns:
        The usable pictures, at least one, and the problems, among them files that are no pictures.

    Raises:
        TableError: No folder, or nothing in it is usable.
    """
    rows, strays = folder_rows(images)
    return _table(rows, strays, classes, check_images, min_per_class, progress)


def data_digest(frame: pd.DataFrame) -> str:
    """SHA-256 over splits, labels and the pictures' bytes, whatever the order and the paths.

    Args:
        frame: ``path``, ``label`` and ``split``.

    Returns:
        Hexadecimal.
    """
    files = map_files(_digest, [str(path) for path in frame["path"]])
    lines = zip(frame["split"], frame["label"], files, strict=True)
    text = "".join(f"{split}\t{label}\t{file}\n" for split, label, file in sorted(lines))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _table(
    rows: Sequence[Row],
    strays: Sequence[Problem],
    classes: Sequence[str] | None,
    check_images: bool,
    min_per_class: int,
    progress: Progress | None,
) -> Table:
    kept, problems = clean(
        rows,
        classes=None if classes is None else frozenset(map(normalise_label, classes)),
        check_images=check_images,
        min_per_class=min_per_class,
        progress=progress,
    )
    labels = tuple(sorted({row.label for row in kept} - {NEITHER}))
    table = Table(_frame(kept), labels, (*strays, *problems))
    if not kept:
        raise NothingUsable(table.problems)
    return table


def _within(rows: Sequence[Row], folder: Path) -> tuple[list[Row], list[Problem]]:
    """The rows of pictures in a folder, and a problem for each of the others."""
    home = Path(os.path.abspath(folder))
    inside, outside = [], []
    for row in rows:
        if not row.path or Path(row.file).is_relative_to(home):
            inside.append(row)
            continue
        advice = "put the picture beside the table, and write its path from there"
        shown = printable(row.path)
        outside.append(Problem(row.number, shown, "outside", "the path leads elsewhere", advice))
    return inside, outside


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    columns: dict[str, list[str | None]] = {
        "path": [row.file for row in rows],
        "label": [row.label for row in rows],
        "split": [row.split for row in rows],
        "group": [row.group for row in rows],
        "kind": [row.kind for row in rows],
    }
    there = {name: values for name, values in columns.items() if any(v is not None for v in values)}
    frame: pd.DataFrame = pd.DataFrame(there)
    return frame


def _counts(values: pd.Series[str]) -> str:
    counts = sorted(values.value_counts().items(), key=lambda item: str(item[0]))
    return ", ".join(f"{name} {count}" for name, count in counts)
