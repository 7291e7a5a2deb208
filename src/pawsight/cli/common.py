"""What commands share: refusing in words, progress on a terminal, reading tables."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from pawsight.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from pawsight.data.splits import SplitResult
    from pawsight.data.table import Table


_BEGINNING: Final = 1000  # bytes of a file

HTML_MARK: Final = "<title>pawsight"
"""Stands at the beginning of every page that is written to a file."""


def fail(message: str) -> NoReturn:
    """Say what is wrong in one go and stop with exit code 2."""
    said = for_terminal(message, keep="\n")  # it may quote a table's header
    typer.echo(f"pawsight: {said}", err=True)
    raise typer.Exit(2)


@contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """Turn the given exceptions, whose words are for people, into a message and exit code 2."""
    try:
        yield
    except errors as error:
        if isinstance(error, OSError) and error.filename and error.strerror:
            fail(f"{str(error.filename)!r}: {error.strerror[:1].lower()}{error.strerror[1:]}")
        fail(str(error))


def check_no_stream(file: Path) -> None:
    """Refuse the name of what is open already, such as ``/dev/stdout``, whatever that leads to.

    Where it leads to a file, that is there already, and its name must not be given to a backup.
    """
    if str(file) == "-":
        fail("'-' is no file here: name one, or leave the option out")
    linked = file.parent / os.readlink(file) if file.is_symlink() else file
    places = [os.path.realpath(each.parent) for each in (file, linked)]
    if any(re.fullmatch(r"/(proc/.+|dev)/fd", each) for each in places):
        fail(f"{str(file)!r} is no file: name a new one")


def check_folder(file: Path | None) -> None:
    """Stop before the work, where the folder of a file that is to be written is not there."""
    if file and not file.parent.is_dir():
        fail(f"cannot write {str(file)!r}: there is no folder {str(file.parent)!r}")


def check_new(file: Path | None) -> None:
    """Stop before the work, where a file that is to be written is there, or could not be."""
    if file is None:
        return
    check_no_stream(file)
    if file.exists():
        fail(f"{str(file)!r} is there already: name a new file, or move it away")
    check_folder(file)


def check_target(file: Path | None, labels: Path | None, mark: str) -> None:
    """Stop before the work, where a file could not be written after it, or holds other things.

    Args:
        file: That is to be written, or written anew.
        labels: The table, which it must not be.
        mark: Stands at the beginning of whatever an earlier call wrote.
    """
    if file is None:
        return
    check_no_stream(file)
    check_folder(file)
    if file.is_dir():
        fail(f"cannot write {str(file)!r}: it is a folder")
    if not file.is_file():
        return
    if labels and labels.exists() and file.samefile(labels):
        fail(f"{str(file)!r} is the table of labels: name another file")
    with refusing(OSError), file.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if beginning and mark.encode() not in beginning:
        fail(
            f"{str(file)!r} is there already, and was not written by this command: name a new "
            "file, or move it away"
        )


@contextmanager
def counting(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing in a pipe; yields what advances it by so many."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if total is None:
        columns += [TextColumn("{task.completed:.0f}"), TimeElapsedColumn()]
    else:
        columns += [MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


@contextmanager
def of_total(title: str) -> Iterator[Callable[[int, int], None]]:
    """The same for work that reports how much is done of how much."""
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None
        done_before = 0

        def report(done: int, total: int) -> None:
            nonlocal advance, done_before
            advance = advance or stack.enter_context(counting(title, total))
            advance(done - done_before)
            done_before = done

        yield report


def model_name(given: str | None, folder: Path) -> str:
    """The name for a model: the one that was given, or one made of its folder's name."""
    from pawsight.inference.catalog import NAME

    if given is None:
        return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("._-") or "model"
    if not NAME.fullmatch(given):
        fail(f"{given!r} is no name for a model: use lower-case letters, digits, '.', '_' and '-'")
    return given


def as_model(folder: Path) -> str:
    """A folder as a shell takes it behind ``--model``: its path, never another model's name."""
    path = str(folder)
    return shlex.quote(path if os.sep in path else os.path.join(os.curdir, path))


def require_train_extra() -> None:
    """Stop with the command that installs it where the ``train`` extra is missing."""
    from pawsight.extras import ExtraMissing, require

    with refusing(ExtraMissing):
        require("train", "this command")


def read_labels(
    labels: Path | None,
    images: Path | None,
    *,
    path_column: str | None,
    label_column: str | None,
    classes: str | Sequence[str] | None,
    min_per_class: int,
) -> Table:
    """Read a table of labels, or of the images' folders and names where there is no table."""
    named = [name.strip() for name in classes.split(",")] if isinstance(classes, str) else classes
    table = _read_labels(labels, images, path_column, label_column, named, min_per_class)
    if min_per_class > 1 and named:  # to train on, where a class without pictures is a mistake
        from pawsight.data.columns import normalise_label

        wanted = {normalise_label(name): name for name in named}
        absent = [name for label, name in wanted.items() if label not in table.classes]
        if absent:
            fail(
                f"of {', '.join(map(repr, absent))} no picture can be used: correct --classes, or "
                f"add some; there are {', '.join(table.classes)}"
            )
    return table


def _read_labels(
    labels: Path | None,
    images: Path | None,
    path_column: str | None,
    label_column: str | None,
    named: Sequence[str] | None,
    min_per_class: int,
) -> Table:
    from pawsight.data.problems import TableError, UnclearColumn
    from pawsight.data.table import read_table, table_from_folder

    if labels is None and images is None:
        fail("name the table with --labels, or a folder of labelled folders with --images")
    with refusing(TableError), of_total("checking pictures") as progress:
        if labels is None and images is not None:
            return table_from_folder(
                images, classes=named, min_per_class=min_per_class, progress=progress
            )
        if labels is None or not labels.is_file():
            fail(f"there is no table {str(labels)!r}")
        try:
            return read_table(
                labels,
                images,
                path_column=path_column,
                label_column=label_column,
                classes=named,
                min_per_class=min_per_class,
                progress=progress,
            )
        except UnclearColumn as error:
            fail(f"{error}, or name the right one with --{error.content}-column")


def split_rows(frame: pd.DataFrame, test_every: int | None) -> SplitResult:
    """The split of `pawsight train`: the column's, by numbers in the files' names, or drawn."""
    from pawsight.data.problems import TableError
    from pawsight.data.splits import split_table
    from pawsight.images.errors import ImageError

    with refusing(TableError, ImageError, OSError), of_total("comparing pictures") as progress:
        return split_table(frame, test_every=test_every, progress=progress)


def rows_of(frame: pd.DataFrame, split: str, test_every: int | None) -> pd.DataFrame:
    """The rows of a split, the column's or that of `pawsight train`; of ``all``, all."""
    if split == "all":
        return frame
    if "split" not in frame:
        frame = split_rows(frame, test_every).frame
    rows: pd.DataFrame = frame.loc[frame["split"] == split]
    if rows.empty:
        fail(f"the table has no rows for {split}")
    return rows
