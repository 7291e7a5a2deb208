"""A process of its own: unpack a ZIP that was sent, check its table, and say what can be used.

    python -m pawsight.jobs.receive ID FOLDER FILES BYTES

FOLDER holds ``sent.zip``. What is refused is said on the standard output, with exit code 3.
Whatever an archive does to this process, the service goes on; and pandas is imported here and not
there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from pawsight.data.columns import read_rows
from pawsight.data.problems import NothingUsable, Problem, TableError
from pawsight.data.splits import split_table
from pawsight.data.table import Table, read_table, table_from_folder
from pawsight.data.trainable import why_not
from pawsight.jobs.datasets import SHOWN, Dataset, LeftOut, Place
from pawsight.jobs.unpack import REFUSED, Bounds, Refused, unpack

_LABELS: Final = (
    "put each label's pictures in a folder of its name, or add a CSV of paths and labels"
)


def receive(id_: str, place: Place, bounds: Bounds) -> Dataset:
    """Unpack and check what was sent.

    Args:
        id_: Of the dataset.
        place: Its folder, which holds the archive.
        bounds: What the archive may unpack to.

    Raises:
        Refused: The archive is not unpacked.
        OSError: There is no room.
    """
    place.pictures.mkdir()
    unpack(place.archive, place.pictures, bounds)
    place.archive.unlink()
    now = datetime.now(timezone.utc)
    try:
        table = _read(place.pictures)
        split = split_table(table.frame)
    except TableError as error:
        dataset = _unusable(id_, now, error, place.pictures)
        place.write(dataset)
        return dataset
    counts = split.frame["label"].value_counts()
    left_out = [*table.problems, *split.problems]
    reason = why_not(split.frame)
    frame = table.frame.assign(
        path=[os.path.relpath(path, place.pictures) for path in table.frame["path"]]
    )
    frame.to_csv(place.table, index=False)
    dataset = Dataset(
        id=id_,
        created=now,
        pictures=len(split.frame),
        labels={str(name): int(count) for name, count in counts.items()},
        problems=_told(left_out, place.pictures),
        problem_count=len(left_out),
        usable=reason is None,
        why_not=reason,
    )
    place.write(dataset)
    return dataset


def _read(pictures: Path) -> Table:
    """The table of what was unpacked: its CSV, or its folders.

    The CSV lies at the top, or in the only folder there, as archives of one folder have it. Its
    paths start from where it lies, or from the folder of pictures beside it.
    """
    top = [each for each in pictures.iterdir() if not each.name.startswith((".", "__MACOSX"))]
    for root in (pictures, *(top if len(top) == 1 and top[0].is_dir() else ())):
        tables = sorted(each for each in root.iterdir() if _is_table(each))
        if len(tables) > 1:
            names = ", ".join(each.name for each in tables)
            raise TableError(f"there are several tables ({names}): send the one that is meant")
        if tables:
            return read_table(tables[0], _start(tables[0], root), within=pictures)
    return table_from_folder(pictures)


def _start(table: Path, root: Path) -> Path:
    """The folder that a table's paths start from: its own, or the one in it that they lie in.

    Raises:
        TableError: They lie in several.
    """
    paths = {os.path.normpath(row.path) for row in read_rows(table, root, None, None)}
    # None of those is looked up: they may lead anywhere.
    files = [each.relative_to(root).parts for each in root.rglob("*") if each.is_file()]
    if any(os.path.join(*parts) in paths for parts in files):
        return root
    found = sorted({folder for folder, *rest in files if rest and os.path.join(*rest) in paths})
    if len(found) > 1:
        raise TableError(
            f"it is not clear which folder the paths of {table.name} start from: of "
            f"{', '.join(found)}; put the table into that folder"
        )
    return root / found[0] if found else root


def _is_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv" and not file.name.startswith(".") and file.is_file()


def _unusable(id_: str, created: datetime, error: TableError, pictures: Path) -> Dataset:
    """What is said where nothing can be used: of each file why, and of all what would be right."""
    left_out: Sequence[Problem] = ()
    words = _without(str(error), pictures)
    if isinstance(error, NothingUsable):
        left_out, words = error.problems, "nothing here can be used"
        if _lie_flat(left_out):
            words = _LABELS
    return Dataset(
        id=id_,
        created=created,
        problems=_told(left_out, pictures),
        problem_count=len(left_out),
        usable=False,
        why_not=words,
    )


def _lie_flat(problems: Sequence[Problem]) -> bool:
    """Whether pictures lie at the top of an archive without a table, so that nothing labels them.

    Of a table, problems have the number of a row.
    """
    unlabelled = [each.path for each in problems if each.code in ("missing-label", "rare-label")]
    of_rows = any(each.row for each in problems)
    return bool(unlabelled) and not of_rows and not any("/" in path for path in unlabelled)


def _told(problems: Sequence[Problem], pictures: Path) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(path=_without(each.path, pictures), reason=_without(each.reason, pictures))
        for each in problems[:SHOWN]
    )


def _without(words: str, pictures: Path) -> str:
    """The same words without the name of a folder of the service's."""
    whole = os.path.abspath(pictures)
    return words.replace(f"{whole}/", "").replace(whole, "the archive")


def main(arguments: list[str]) -> int:
    """Do it, for the command line."""
    id_, folder, files, size = arguments
    os.nice(10)  # those who wait for answers come first
    try:
        receive(id_, Place(Path(folder)), Bounds(int(files), int(size)))
    except Refused as error:
        sys.stdout.write(str(error))
        return REFUSED
    except OSError as error:
        sys.stdout.write(f"it cannot be unpacked here: {error.strerror}")
        return REFUSED + 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
