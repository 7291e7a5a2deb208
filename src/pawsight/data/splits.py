"""Which pictures train, which validate and which test; no picture and its twin on two sides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from pawsight.data.columns import normalise_split
from pawsight.data.draws import draw_splits
from pawsight.data.duplicates import group_near_duplicates, hash_files, merge_groups
from pawsight.data.parallel import Progress
from pawsight.data.problems import Problem, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

SPLITS: Final = ("train", "validation", "test")
TEST_EVERY: Final = 10
"""The divisor of test pictures' numbers where files are named as those of Dogs vs. Cats are."""

Strategy = Literal["column", "number", "seeded"]

_NUMBERED: Final = re.compile(r"^[A-Za-z]+[._-]\d+\.\w+$")
_OPEN: Final = ""
"""Stands for the split of a row that is yet to be drawn."""


@dataclass(frozen=True, eq=False)
class SplitResult:
    """A table whose rows stand in splits.

    Attributes:
        frame: The rows that are used, in their order, with a column ``split`` (train, validation or
            test). The index counts from 0.
        strategy: Where the test rows are from: ``column``, ``number`` or ``seeded``.
        problems: One for each row that is left out, and one for each class that is missing from a
            split. ``row`` is 0: the path says which it is.
    """

    frame: pd.DataFrame
    strategy: Strategy
    problems: tuple[Problem, ...]


def assign_splits(
    frame: pd.DataFrame,
    *,
    groups: NDArray[np.intp] | None = None,
    test_every: int | None = None,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> SplitResult:
    """Put every row into a split.

    A column ``split`` is followed; a split that it does not mention is drawn from its training
    rows. Without one, where ``test_every`` is given, or where every file is named like
    ``cat.1230.jpg`` and some number divides by 10, the rows whose number divides test, in every
    class, and validation is drawn from the rest. Otherwise all three are drawn.

    A draw is stratified by label and seeded, moves groups whole, and comes out the same whatever
    the order of the rows. Where test rows are given, what stands in a group with one is left out
    of training and validation; and out of training, what stands in one with a given validation row.

    Args:
        frame: ``path``, ``label``, and ``split`` and ``group`` where the table has them.
        groups: [N]: a number for each row; rows with the same one never stand on two sides. The
            same holds for rows with the same path, and with the same text in ``group``.
        test_every: The divisor of test pictures' numbers.
        validation: The part that is drawn, of the rows that are drawn from; 0: no such split.
        test: Likewise.
        seed: Of the draw.

    Returns:
        The rows in their splits, and what was left out.

    Raises:
        TableError: A split would be empty, ``test_every`` is given and a name has no number, or the
            column ``split`` holds something else.
        ValueError: ``groups`` is of another length.
    """
    if min(validation, test) < 0 or validation + test >= 1:
        raise TableError(f"no training rows are left by validation {validation} and test {test}")
    if groups is not None and len(groups) != len(frame):
        raise ValueError(f"{len(groups)} groups for {len(frame)} rows")
    frame = frame.reset_index(drop=True)
    given, strategy = _given(frame, test_every)
    shares = {"validation": validation, "test": test}
    wanted = ["train", *(name for name, share in shares.items() if share)]
    if strategy == "number":
        del shares["test"]
    shares = {name: share for name, share in shares.items() if share and name not in given}
    if shares:
        given = np.where(given == "train", _OPEN, given)
    together = _together(frame, groups)
    crossing = _crossing(given, together)
    by_path = np.argsort(_texts(frame, "path"), kind="stable")
    rows = [int(row) for row in by_path if given[row] == _OPEN and not crossing[row]]
    drawn = draw_splits(rows, _texts(frame, "label"), together, shares, seed)
    problems = _left_out(frame, given, together, crossing)
    split = np.where(given == _OPEN, drawn, given)
    result = frame.assign(split=split)[~crossing].reset_index(drop=True)
    _check_none_empty(result, wanted, strategy)
    return SplitResult(result, strategy, (*problems, *_absent_classes(result, wanted)))


def split_table(
    frame: pd.DataFrame, *, test_every: int | None = None, progress: Progress | None = None
) -> SplitResult:
    """Put every row into a split, with pictures that look alike on one side.

    The draw has a seed of its own: the split belongs to the table, so that whoever trains on it and
    whoever measures on it later mean the same test rows.

    Args:
        frame: As for :func:`assign_splits`.
        test_every: Likewise.
        progress: Called with how many pictures were hashed and how many there are.

    Raises:
        TableError: As :func:`assign_splits` does.
        ImageError: A file cannot be decoded.
    """
    hashes = hash_files([str(path) for path in frame["path"]], progress)
    return assign_splits(frame, groups=group_near_duplicates(hashes), test_every=test_every)


def split_by_number(paths: Iterable[str], divisor: int) -> NDArray[np.bool_]:
    """Tell test pictures by the last number in their names: ``native/cat.1230.jpg`` → 1230.

    Args:
        paths: N files.
        divisor: At least 1.

    Returns:
        [N]: whether the number divides by ``divisor``.

    Raises:
        TableError: A name has no number.
    """
    return np.array([_number(path) % divisor == 0 for path in paths], dtype=np.bool_)


def _number(path: str) -> int:
    digits = re.findall(r"[0-9]+", PurePath(path).stem)
    if not digits:
        raise TableError(f"{path} has no number in its name to tell by whether it is for testing")
    return int(digits[-1])


def _texts(frame: pd.DataFrame, column: str) -> NDArray[np.str_]:
    return np.array([str(value) for value in frame[column]], dtype=np.str_)


def _given(frame: pd.DataFrame, test_every: int | None) -> tuple[NDArray[np.str_], Strategy]:
    """Find the splits that do not depend on a draw."""
    if "split" in frame:
        return np.array([_split(value) for value in frame["split"]], dtype=np.str_), "column"
    paths = [str(path) for path in frame["path"]]
    if test_every is not None:
        return np.where(split_by_number(paths, test_every), "test", _OPEN), "number"
    if all(_NUMBERED.match(PurePath(path).name) for path in paths):
        tests = split_by_number(paths, TEST_EVERY)
        if tests.any():
            return np.where(tests, "test", _OPEN), "number"
    return np.full(len(paths), _OPEN), "seeded"


def _split(value: object) -> str:
    name = normalise_split(str(value))
    if name is None:
        raise TableError(f"'{value}' in the column 'split' is not train, validation or test")
    return name


def _together(frame: pd.DataFrame, groups: NDArray[np.intp] | None) -> NDArray[np.intp]:
    """Number the groups of rows that are linked by path, by number or by text."""
    every = np.arange(len(frame))
    links = [(every, _texts(frame, "path"))]
    if groups is not None:
        links.append((every, np.asarray(groups).astype(np.str_)))
    if "group" in frame:
        texts = _texts(frame, "group")
        named = np.flatnonzero((texts != "") & frame["group"].notna().to_numpy())
        links.append((named, texts[named]))
    labels = every
    for rows, keys in links:
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        labels = merge_groups(labels, rows, rows[first[which]])
    return labels


def _rank(given: NDArray[np.str_]) -> NDArray[np.intp]:
    """Order the splits by which of two twins stays."""
    return np.select([given == "test", given == "validation"], [2, 1], 0)


def _crossing(given: NDArray[np.str_], together: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Find the rows that have a twin in a given split that comes before their own.

    Returns:
        [N]: whether to leave the row out.
    """
    rank = _rank(given)
    highest = np.zeros(len(given), dtype=np.intp)
    np.maximum.at(highest, together, rank)
    return rank < highest[together]


def _left_out(
    frame: pd.DataFrame,
    given: NDArray[np.str_],
    together: NDArray[np.intp],
    crossing: NDArray[np.bool_],
) -> list[Problem]:
    rank, paths = _rank(given), _texts(frame, "path")
    problems = []
    for row in np.flatnonzero(crossing):
        twins = np.flatnonzero(together == together[row])
        twin = twins[np.argmax(rank[twins])]
        split = str(given[twin])
        problems.append(
            Problem(
                row=0,
                path=str(paths[row]),
                code=f"twin-in-{split}",
                reason=f"looks like {paths[twin]}, which is in {split}, or is in its group",
                advice=f"nothing needs to be done: it is left out so that {split} stays honest",
            )
        )
    return problems


def _check_none_empty(frame: pd.DataFrame, wanted: Sequence[str], strategy: Strategy) -> None:
    empty = [name for name in wanted if name not in set(frame["split"])]
    if empty:
        why = {
            "column": "see the column 'split'",
            "number": "the test pictures are those whose number in the file name "
            "divides by --test-every; give another, say the split in a column 'split', or add "
            "pictures: three of a class, which do not look alike, are the least",
            "seeded": "there are too few pictures that do not look alike; three of a class are the "
            "least",
        }
        raise TableError(f"no picture is left for {' and '.join(empty)}: {why[strategy]}")


def _absent_classes(frame: pd.DataFrame, wanted: Sequence[str]) -> list[Problem]:
    present = set(zip(frame["label"], frame["split"], strict=True))
    problems = []
    for label in sorted(set(frame["label"])):
        absent = [name for name in wanted if (label, name) not in present]
        if absent:
            problems.append(
                Problem(
                    row=0,
                    path="",
                    code="absent-class",
                    reason=f"no picture of '{label}' is in {' or '.join(absent)}",
                    advice=f"add different pictures of the class, at least one for each of "
                    f"{', '.join(wanted)}",
                )
            )
    return problems
