"""Which rows of a table can be used: each of the others is named, with what to do about it."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pawsight.data.columns import Row, normalise_label, normalise_split
from pawsight.data.parallel import Progress, map_files
from pawsight.data.problems import EXAMPLES, Problem, TableError
from pawsight.images.decode import decode_image, large_enough
from pawsight.images.errors import ImageError
from pawsight.images.files import read_file
from pawsight.labels import NEITHER

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSING_LABELS: Final = frozenset(("", "nan", "null", "none", "n/a", "na", "<na>"))
"""What stands in a table where there is no label, in lower case."""

RARE: Final = 0.02
"""A label that was found, not named, must have this part of the commonest one's pictures."""

_SYSTEM_FILES: Final = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"))
_SPLIT_ORDER: Final = {"test": 0, "validation": 1, "train": 2}

_REPLACE: Final = "put a good copy of the file in its place, or delete the row"
_ADVICE: Final = {
    "missing-path": "write the picture's path into the table, or delete the row",
    "stray-file": "nothing needs to be done: such files are never pictures of yours",
    "missing-label": "write the picture's class into the table, or delete the row",
    "unknown-split": "write train, validation or test into the column 'split', or delete the row",
    "missing-file": "check the path and the folder it is relative to (--images), or delete the row",
    "contradicting-labels": "look at the picture and keep the row that is right",
    "repeated-row": "nothing needs to be done: the picture counts once",
    "same-picture": "nothing needs to be done: the picture counts once",
    "unknown-label": "correct the label, or add it to the classes (--classes)",
    "rare-label": "correct the label; if it is a class, add pictures or name all classes "
    "(--classes)",
}


@dataclass(slots=True)
class _Sieve:
    """Takes rows out and keeps the reasons."""

    problems: list[Problem] = field(default_factory=list)

    def refuse(self, row: Row, code: str, reason: str) -> None:
        advice = _ADVICE.get(code, _REPLACE)
        self.problems.append(Problem(row.number, row.path, code, reason, advice))


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a file holds: the digest of a picture's bytes, or why it is none."""

    digest: str = ""
    code: str = ""
    reason: str = ""


def is_stray(name: str) -> bool:
    """Whether a file or folder of this name is one that systems leave about, never a picture.

    Args:
        name: A bare name such as ``.DS_Store``, ``._cat.jpg`` or ``Thumbs.db``.
    """
    return name.startswith(".") or name.casefold() in _SYSTEM_FILES


def clean(
    rows: Iterable[Row],
    *,
    classes: frozenset[str] | None,
    check_images: bool,
    min_per_class: int,
    progress: Progress | None,
) -> tuple[list[Row], list[Problem]]:
    """Part the rows that can be used from those that cannot.

    Args:
        rows: The table as it stands.
        classes: The classes, normalised; ``None``: found.
        check_images: Whether every file is decoded and compared with the others by its bytes.
        min_per_class: Fewer usable pictures are no class.
        progress: Called with how many files were decoded and how many there are.

    Returns:
        The usable rows with labels and splits normalised, in their order, and one problem for each
        of the others.

    Raises:
        TableError: Classes were named and no row has any of them.
    """
    sieve = _Sieve()
    kept = _with_label_and_file(rows, classes, sieve)
    if classes is not None:
        _check_classes(classes, kept)
    if check_images:
        contents = _inspect_all(kept, progress)
        kept = _decodable(kept, contents, sieve)
        kept = _once(kept, {file: found.digest for file, found in contents.items()}, sieve)
    else:
        kept = _once(kept, {row.file: row.file for row in kept}, sieve)
    kept = _in_classes(kept, classes, min_per_class, sieve)
    return kept, sorted(sieve.problems, key=lambda problem: (problem.row, problem.path))


def _with_label_and_file(
    rows: Iterable[Row], classes: frozenset[str] | None, sieve: _Sieve
) -> list[Row]:
    missing = MISSING_LABELS - (classes or frozenset())
    kept = []
    for row in rows:
        label = normalise_label(row.label)
        split = None if row.split is None else normalise_split(row.split)
        path = Path(row.path)
        if not row.path:
            sieve.refuse(row, "missing-path", "the row names no file")
        elif (shown := printable(row.path)) != row.path:
            named = replace(row, path=shown)
            sieve.refuse(named, "unprintable-name", "the file's name is not UTF-8: rename it")
        elif is_stray(path.name) or "__MACOSX" in path.parts:
            sieve.refuse(row, "stray-file", f"'{path.name}' is a hidden or system file")
        elif label in missing:
            said = f"the label is '{row.label.strip()}'" if label else "the label is empty"
            sieve.refuse(row, "missing-label", said)
        elif row.split is not None and split is None:
            sieve.refuse(row, "unknown-split", f"the split is '{row.split.strip()}'")
        elif not os.path.isfile(row.file):
            what = "is no file" if os.path.exists(row.file) else "does not exist"
            sieve.refuse(row, "missing-file", f"{row.file} {what}")
        else:
            kept.append(replace(row, label=label, split=split))
    return kept


def printable(path: str) -> str:
    """A path as text: what of a file's name is not UTF-8 is shown by a question mark."""
    return path.encode("utf-8", "replace").decode("utf-8")


def _check_classes(classes: frozenset[str], rows: list[Row]) -> None:
    labels = {row.label for row in rows} - {NEITHER}
    if labels and not labels & classes:
        raise TableError(
            f"no row has any of the classes {', '.join(sorted(classes))}; "
            f"the labels are {', '.join(sorted(labels))}"
        )


def _inspect_all(rows: list[Row], progress: Progress | None) -> dict[str, _Contents]:
    files = list(dict.fromkeys(row.file for row in rows))
    return dict(zip(files, map_files(_inspect, files, progress), strict=True))


def _inspect(file: str) -> _Contents:
    try:
        data = read_file(Path(file))
        # A large JPEG is read whole, and decoded small.
        large_enough(decode_image(data, at_least=(64, 64)))
    except ImageError as error:
        return _Contents(code=error.code, reason=str(error))
    except OSError as error:
        return _Contents(code="unreadable", reason=f"cannot be read: {error.strerror}")
    return _Contents(digest=hashlib.sha256(data).hexdigest())


def _decodable(rows: list[Row], contents: dict[str, _Contents], sieve: _Sieve) -> list[Row]:
    kept = []
    for row in rows:
        found = contents[row.file]
        if found.digest:
            kept.append(row)
        else:
            sieve.refuse(row, found.code, found.reason)
    return kept


def _once(rows: list[Row], keys: dict[str, str], sieve: _Sieve) -> list[Row]:
    """Keep one row of each picture, and none where its rows disagree about the label.

    Args:
        rows: The rows.
        keys: For each file what makes it the picture it is.
        sieve: Takes the others.
    """
    pictures: dict[str, list[Row]] = {}
    for row in rows:
        pictures.setdefault(keys[row.file], []).append(row)
    kept = []
    for twins in pictures.values():
        if len({row.label for row in twins}) > 1:
            for row in twins:
                sieve.refuse(row, "contradicting-labels", _contradiction(row, twins))
            continue
        # A picture that is given for testing as well as for training is one to test with.
        first = min(twins, key=lambda row: (_SPLIT_ORDER.get(row.split or "", 0), row.number))
        kept.append(first)
        for row in twins:
            if row is first:
                continue
            if row.file == first.file:
                sieve.refuse(row, "repeated-row", f"the same file as {first.place}")
            else:
                sieve.refuse(row, "same-picture", f"the same picture as {first.place}")
    return sorted(kept, key=lambda row: row.number)


def _contradiction(row: Row, twins: list[Row]) -> str:
    others = [other for other in twins if other.label != row.label]
    named = [f"'{other.label}' in {other.place}" for other in others[:EXAMPLES]]
    more = f" and {len(others) - EXAMPLES} more" if len(others) > EXAMPLES else ""
    return f"the same picture is '{row.label}' here and {', '.join(named)}{more}"


def _in_classes(
    rows: list[Row], classes: frozenset[str] | None, min_per_class: int, sieve: _Sieve
) -> list[Row]:
    """Keep the rows whose label is a class.

    Named classes are classes; of labels that were found, those with at least :data:`RARE` of the
    commonest one's pictures, or all where one picture is enough. Either way a class needs
    ``min_per_class`` pictures. ``neither`` is no class: its pictures show none of them, and are
    always kept.
    """
    counts = Counter(row.label for row in rows if row.label != NEITHER)
    largest, most = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    measuring = min_per_class == 1
    enough = 0 if classes is not None or measuring else math.ceil(RARE * most)
    kept = []
    for row in rows:
        count = counts[row.label]
        if row.label == NEITHER:
            kept.append(row)
        elif classes is not None and row.label not in classes:
            known = ", ".join(sorted(classes))
            sieve.refuse(row, "unknown-label", f"'{row.label}' is none of the classes {known}")
        elif count < min_per_class:
            said = f"'{row.label}' has {_pictures(count)}; a class needs {min_per_class}"
            sieve.refuse(row, "rare-label", said)
        elif count < enough:
            said = f"'{row.label}' has {_pictures(count)} beside {most} of '{largest}'"
            sieve.refuse(row, "rare-label", said)
        else:
            kept.append(row)
    return kept


def _pictures(count: int) -> str:
    return "one usable picture" if count == 1 else f"{count} usable pictures"
