"""``pawsight classify``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from pawsight.cli import options
from pawsight.cli.aftermath import aftermath
from pawsight.cli.classify_here import Run
from pawsight.cli.classify_ray import answer, opened_parts
from pawsight.cli.common import check_folder, check_no_stream, fail, refusing
from pawsight.cli.tally import Tally

if TYPE_CHECKING:
    from pawsight.bulk.output import Output
    from pawsight.bulk.parts import Parts
    from pawsight.bulk.sinks import Format


def classify(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders (searched to the bottom), globs, ZIP and tar archives, and "
            "lists (.txt with a path a line, '-' for such a text on the standard input, .csv, .tsv "
            "and .parquet with a column 'path'; relative paths start in the current directory); of "
            "this machine, or at an address such as s3://bucket/album.",
            metavar="PATH...",
        ),
    ],
    model: options.Model = options.DEFAULT_MODEL,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "jsonl", "csv", "parquet"] | None,
        typer.Option(help="Of the answers; by default what --output ends in says, else a table."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the answers to this file (.jsonl, .csv, .parquet)."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the --output of an earlier run, whatever ended it. Answered again is "
            "what changed: pictures, the model, --may-lose; and files that could not be read, or "
            "were too large by other limits.",
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Begin anew; what is there is kept as a backup."),
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Say at the end how many of each label there were.")
    ] = False,
    copy_to: Annotated[
        Path | None,
        typer.Option(
            help="Copy the pictures into folders of this one, named by their labels.",
            parser=options.folder,
            metavar="PATH",
        ),
    ] = None,
    move_to: Annotated[
        Path | None,
        typer.Option(help="Move them there instead.", parser=options.folder, metavar="PATH"),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="What is less sure is copied or moved to 'unsure'."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be copied or moved, and do not.")
    ] = False,
    review: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Show the N least sure answers on a page: review.html, or beside --output.",
            metavar="N",
        ),
    ] = None,
    may_lose: options.MayLose = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Width × height of the largest picture that is decoded; else 52 million. Each "
            "processor needs memory for all its pixels, several times (least for a JPEG).",
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(min=1, help="Size of the largest file that is read; else 32 MiB."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Let a Ray cluster answer: its address, or 'local' for this machine's "
            "processors. --output is a folder of Parquet files then.",
            metavar="ADDRESS",
        ),
    ] = None,
    partition: Annotated[
        int | None,
        typer.Option(min=1, help="With --ray: pictures in one of those files, about; else 2048."),
    ] = None,
) -> None:
    """Classify pictures: a record for each, in order.

    A file that cannot be used gets a record with its error and stops nothing. After --resume, the
    records that were there come first. Exit code: 0 where every picture was answered, 1 where some
    were not, 2 where nothing could be done, 130 after Ctrl-C.
    """
    from pawsight.bulk.output import Output
    from pawsight.cpus import usable_cpus
    from pawsight.images.decode import DEFAULT_LIMITS, Limits
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError

    _check(paths, output)
    if partition and not ray:
        fail("--partition is about --ray")
    kind = "parquet" if ray else _format(format, output)
    after = aftermath(
        paths,
        output,
        copy_to=copy_to,
        move_to=move_to,
        min_confidence=min_confidence,
        dry_run=dry_run,
        review=review,
    )
    target: Output | Parts | None
    if ray:
        target = opened_parts(output, format, resume=resume, overwrite=overwrite)
    else:
        target = _target(output, kind, resume=resume, overwrite=overwrite)
    limits = Limits(max_bytes or DEFAULT_LIMITS.max_bytes, max_pixels or DEFAULT_LIMITS.max_pixels)
    with refusing(ModelError):
        asked = load(model, threads=1, may_lose=may_lose)
    here = Run(asked, paths, usable_cpus(), may_lose, limits)
    with _writing(output, target):
        if isinstance(target, Output):
            tally = here.to_file(target)
        elif target and ray:
            tally = answer(paths, model, asked, may_lose, target, ray, partition, limits)
        else:
            tally = here.to_stream(kind, output, after)
    _refuse_nothing(paths, tally)
    if target and (summary or ray or after.wanted):
        empty = tally.empty
        tally = Tally()
        tally.empty = empty
        for row in target.rows():  # those of earlier runs, too
            tally.add(row["label"])
            after.take(row)
    after.finish()
    if summary:
        typer.echo(f"pawsight: {tally.summary()}", err=True)
    if failed := tally.failed + tally.failed_before:
        number = tally.done + tally.answered_before + tally.failed_before
        typer.echo(f"pawsight: {failed} of {number} could not be used", err=True)
        raise typer.Exit(1)


@contextmanager
def _writing(output: Path | None, target: Output | Parts | None) -> Iterator[None]:
    """Say in words that the answers could not be written, or not on."""
    try:
        yield
    except BrokenPipeError:  # whoever read the answers has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as error:
        if not output:  # nor can what is still held be written when the program ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        kept = "; --resume goes on with what was answered" if target and target.begun else ""
        where = str(output) if output else "the answers"
        fail(f"cannot write {where!r}: {error.strerror}{kept}")


def _refuse_nothing(paths: list[str], tally: Tally) -> None:
    """Stop where there was no picture at all; what each source lacked may have been said."""
    if not tally.done + tally.skipped:
        if unsaid := [path for path in paths if path not in tally.empty]:
            fail(f"no pictures in {', '.join(map(repr, unsaid))}")
        raise typer.Exit(2)


def _check(paths: list[str], output: Path | None) -> None:
    """Refuse what names no pictures or is to be written too, before anything is loaded."""
    from pawsight.bulk.lists import STANDARD_INPUT
    from pawsight.bulk.stores import store_of
    from pawsight.extras import ExtraMissing

    if paths.count(STANDARD_INPUT) > 1:
        fail("the standard input ('-') can be read only once")
    if "" in paths:
        fail("one of the paths is empty: name a picture, a folder or a glob ('.' is this folder)")
    with refusing(ExtraMissing, ValueError):
        for path in paths:
            with suppress(OSError):  # of a server that cannot be reached; its record says so
                store_of(path)
    for path in paths if output and output.is_file() else ():
        if os.path.isfile(path) and output and output.samefile(path):
            fail(f"{path!r} is to be read, and is the --output too: name another file to write")


def _format(given: Format | None, output: Path | None) -> Format:
    """The format that is asked for, by name or by the ending of the file's name."""
    from pawsight.bulk.sinks import ENDINGS

    if output is None:
        return given or "table"
    asked = ENDINGS.get(output.suffix.lower())
    if given is None and asked is None:
        fail(f"{str(output)!r} ends in none of {', '.join(ENDINGS)}: name one, or --format")
    if given and asked and given != asked:
        fail(f"--format {given} and {str(output)!r} contradict each other: change one of them")
    return given or asked or "table"


def _target(output: Path | None, kind: Format, *, resume: bool, overwrite: bool) -> Output | None:
    """What can be gone on with, None for a stream; what is there is refused or set aside."""
    from pawsight.bulk.journal import NotOurs
    from pawsight.bulk.output import Output

    if resume and overwrite:
        fail("--resume goes on with what is there, --overwrite begins anew: choose one")
    if output is None:
        if kind == "parquet":
            fail("Parquet is written to a file: name it with --output")
        if resume or overwrite:
            fail("--resume and --overwrite are about a file: name it with --output")
        return None
    target = Output(output, kind)
    if resume and kind == "table":
        fail("a table for people cannot be gone on with: name a .jsonl, .csv or .parquet file")
    check_no_stream(output)
    check_folder(output)
    if target.begun and output.exists() and not output.is_file():
        fail(f"{str(output)!r} is no file; without --output, answers go to standard output")
    if overwrite:
        with refusing(NotOurs, OSError):
            for backup in target.set_aside():
                typer.echo(f"pawsight: what was there is {str(backup)!r} now", err=True)
    elif target.begun and not resume:
        _refuse_begun(target)
    return None if kind == "table" else target


def _refuse_begun(target: Output) -> NoReturn:
    """Say what there is, which is neither to be gone on with nor to be set aside."""
    file = str(target.file)
    if not os.path.lexists(file):
        fail(
            f"a run that was to write {file!r} was broken off: --resume goes on with it, "
            "--overwrite begins anew and keeps what it answered as a backup; or name a new file"
        )
    fail(
        f"{file!r} is there already: --resume goes on with it, --overwrite keeps it as a backup; "
        "or name a new file"
    )
