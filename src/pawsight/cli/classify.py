"""``pawsight classify``."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from pawsight.cli import options
from pawsight.cli.common import counting, fail, refusing

if TYPE_CHECKING:
    from pawsight.bulk.sinks import Format
    from pawsight.inference.model import Model


def classify(
    paths: options.Paths,
    model: options.Model = options.DEFAULT_MODEL,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "jsonl", "csv", "parquet"] | None,
        typer.Option(help="Of the answers; by default what --output ends in says, else a table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the answers to this file, which must be new.")
    ] = None,
    may_lose: options.MayLose = None,
) -> None:
    """Classify pictures: a record for each, in order.

    A file that cannot be used gets a record with its error and stops nothing. Exit code: 0 where
    every picture was answered, 1 where some were not, 2 where nothing could be done.
    """
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError

    if "" in paths:
        fail("one of the paths is empty: name a picture, a folder or a glob ('.' is this folder)")
    kind = format or _of_ending(output)
    if kind == "parquet" and output is None:
        fail("Parquet is written to a file: name it with --output")
    if output and output.exists():
        fail(f"{str(output)!r} is there already: name a new file, or move it away")
    with refusing(ModelError):
        classifies = load(model, may_lose=may_lose)
    try:
        answered, failed = _answer(classifies, paths, kind, output)
    except BrokenPipeError:  # whoever read the answers has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as error:
        if not output:  # nor can what is still held be written when the program ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"cannot write {str(output) if output else 'the answers'!r}: {error.strerror}")
    if not answered + failed:
        if output:
            output.unlink()
        fail(f"no pictures in {', '.join(paths)}")
    if failed:
        typer.echo(f"pawsight: {failed} of {answered + failed} could not be used", err=True)
        raise typer.Exit(1)


def _of_ending(output: Path | None) -> Format:
    """The format that a file's name asks for."""
    endings: dict[str, Format] = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
    return endings.get(output.suffix.lower(), "table") if output else "table"


def _answer(model: Model, paths: list[str], kind: Format, output: Path | None) -> tuple[int, int]:
    """Write a record for each picture; returns how many were answered and how many were not."""
    from pawsight.bulk.records import classify_files
    from pawsight.bulk.sinks import MissingExtra, open_sink
    from pawsight.bulk.sources import find_pictures

    answered = failed = 0
    with ExitStack() as stack:
        target: TextIO | Path = sys.stdout
        if output and kind == "parquet":
            target = output
        elif output:
            target = stack.enter_context(output.open("x", encoding="utf-8", newline=""))
        with refusing(MissingExtra):
            sink = open_sink(kind, target, model.card.labels)
        stack.callback(sink.close)
        advance = stack.enter_context(counting("classifying"))
        for record in classify_files(model, find_pictures(paths)):
            sink.write(record)
            advance(1)
            answered += record.error is None
            failed += record.error is not None
    return answered, failed
