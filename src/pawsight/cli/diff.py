"""``pawsight diff``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsight.cli.common import check_new, fail, refusing
from pawsight.plurals import counted

if TYPE_CHECKING:
    from pawsight.bulk.difference import Change, Difference
    from pawsight.bulk.rows import Row
    from pawsight.bulk.sinks import Format


def diff(
    before: Annotated[Path, typer.Argument(help="What `classify --output` wrote.")],
    after: Annotated[Path, typer.Argument(help="What another run wrote, in any of the formats.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Write every picture that differs to this CSV, which must be new."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Show the first pictures with another label on this page, a new one."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="How many --sheet shows.")] = 100,
    moved: Annotated[
        float,
        typer.Option(min=0, max=1, help="By how much a confidence must differ to be told."),
    ] = 0.1,
) -> None:
    """Compare two runs: answers that flipped, confidence that moved, files that only one has.

    Exit code: 0 where nothing differs, 1 where something does, 2 where they cannot be compared.
    """
    from pawsight.bulk.answers import read_answers
    from pawsight.bulk.difference import Difference, compare
    from pawsight.bulk.journal import NotOurs
    from pawsight.extras import ExtraMissing

    kinds = {each: _kind(each) for each in (before, after)}
    _check_new(output, sheet)
    difference = Difference()
    flipped: list[Change] = []
    torn: dict[Path, str] = {}

    def rows(file: Path) -> Iterator[Row]:
        return read_answers(file, kinds[file], lambda *counts: _keep_torn(torn, file, *counts))

    with ExitStack() as stack:
        stack.enter_context(refusing(NotOurs, ExtraMissing, OSError))
        stack.enter_context(_whole_or_not_there(output, sheet))
        writer = None
        if output:
            writer = csv.writer(stack.enter_context(output.open("x", encoding="utf-8", newline="")))
            writer.writerow(["path", "before", "after", "confidence_before", "confidence_after"])
        for change in compare(lambda: rows(before), rows(after), difference, moved):
            if writer:
                writer.writerow(_cells(change))
            if change.before and change.after and change.before != change.after:
                flipped += [change] if len(flipped) < samples else []
        if sheet:
            _write_sheet(sheet, flipped, difference)
    for words in torn.values():
        typer.echo(f"pawsight: {words}", err=True)
    _tell(difference)
    _tell_files(output, sheet, difference, len(flipped))
    if difference.changed:
        raise typer.Exit(1)


def _check_new(output: Path | None, sheet: Path | None) -> None:
    """Refuse what would write over a file, before the work."""
    for file in (output, sheet):
        check_new(file)
    if output and sheet and output.resolve() == sheet.resolve():
        fail(f"--output and --sheet are both {str(sheet)!r}: name two files")


@contextmanager
def _whole_or_not_there(*files: Path | None) -> Iterator[None]:
    """Take new files away where the work fails, so that it can be asked for again."""
    try:
        yield
    except BaseException:
        for file in filter(None, files):
            file.unlink(missing_ok=True)
        raise


def _keep_torn(torn: dict[Path, str], file: Path, broken: int, whole: int) -> None:
    """Keep what is to be said of a run that was broken off; it may be read twice."""
    lines = "1 line is no whole record" if broken == 1 else f"{broken:,} lines are no whole records"
    torn[file] = (
        f"{str(file)!r} was broken off, or is being written: {lines} and passed over, {whole:,} "
        "are compared; `classify --resume` goes on with it"
    )


def _kind(file: Path) -> Format:
    from pawsight.bulk.output import Output
    from pawsight.bulk.sinks import ENDINGS

    kind = "parquet" if file.is_dir() else ENDINGS.get(file.suffix.lower())
    if kind is None:
        fail(f"{str(file)!r}: a run's answers are a .jsonl, .csv or .parquet file")
    if file.is_dir() and not any(file.glob("*.parquet")):
        fail(f"{str(file)!r}: a folder of a run's parts has .parquet files, this has none")
    if not file.exists() and Output(file, kind).begun:
        fail(f"{str(file)!r}: its run was broken off: `classify --resume` ends it")
    if not file.exists():
        fail(f"{str(file)!r}: there is no such file")
    return kind


def _cells(change: Change) -> list[object]:
    return [
        change.path,
        change.before or "",
        change.after or "",
        "" if change.confidence_before is None else f"{change.confidence_before:.6f}",
        "" if change.confidence_after is None else f"{change.confidence_after:.6f}",
    ]


def _write_sheet(sheet: Path, flipped: list[Change], difference: Difference) -> None:
    from pawsight.bulk.review import render_sheet

    shown = [
        {
            "path": each.path,
            "said": [
                f"{each.before} → {each.after}",
                " → ".join(
                    "–" if share is None else f"{share:.1%}"
                    for share in (each.confidence_before, each.confidence_after)
                ),
            ],
        }
        for each in flipped
    ]
    words = f"{_flipped(difference)}; {len(shown):,} shown."
    sheet.write_text(render_sheet(shown, "what flipped", words), encoding="utf-8")


def _tell_files(
    output: Path | None, sheet: Path | None, difference: Difference, shown: int
) -> None:
    """Say what was written, where nobody takes it for the comparison."""
    if output:
        words = counted(difference.changed, "picture")
        typer.echo(f"pawsight: {str(output)!r} names what differs, {words}", err=True)
    if sheet:
        words = f"{shown:,} of {_flipped(difference)}"
        typer.echo(f"pawsight: {str(sheet)!r} shows {words}", err=True)


def _flipped(difference: Difference) -> str:
    return f"{counted(difference.flipped, 'picture')} with another label"


def _tell(difference: Difference) -> None:
    for count, words in (
        (difference.same, "the same"),
        (difference.moved, "with the same label and another confidence"),
        (difference.flipped, "with another label"),
        (difference.only_before, "in the first run alone"),
        (difference.only_after, "in the second run alone"),
    ):
        typer.echo(f"{count:>9,}  {words}")
    for (old, new), count in sorted(difference.flips.items(), key=lambda each: -each[1]):
        typer.echo(f"{count:>9,}    {old} → {new}")
