"""``pawsight classify``."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from pawsight.cli.common import counting, fail, refusing


def classify(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders (searched to the bottom) and globs.", metavar="PATH..."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="A model by name, or by the path of its folder.")
    ] = "custom",
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "jsonl", "csv", "parquet"], typer.Option(help="Of the answers.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option(help="Write the answers to this file, which must be new.")
    ] = None,
) -> None:
    """Classify pictures: a record for each, in order.

    A file that cannot be used gets a record with its error and stops nothing. Exit code: 0 where
    every picture was answered, 1 where some were not, 2 where nothing could be done.
    """
    from pawsight.bulk.records import classify_files
    from pawsight.bulk.sinks import MissingExtra, open_sink
    from pawsight.bulk.sources import find_pictures
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError

    with refusing(ModelError):
        classifier = load(model)
    if output and output.exists():
        fail(f"{str(output)!r} is there already: name a new file, or move it away")
    if format == "parquet" and output is None:
        fail("Parquet is written to a file: name it with --output")
    answered = failed = 0
    with ExitStack() as stack:
        try:
            target = (
                output
                if output and format == "parquet"
                else stack.enter_context(output.open("x", encoding="utf-8", newline=""))
                if output
                else sys.stdout
            )
            sink = open_sink(format, target, classifier.card.labels)
        except (OSError, MissingExtra) as error:
            fail(f"cannot write {str(output)!r}: {getattr(error, 'strerror', None) or error}")
        stack.callback(sink.close)
        advance = stack.enter_context(counting("classifying"))
        for record in classify_files(classifier, find_pictures(paths)):
            sink.write(record)
            advance(1)
            answered += record.error is None
            failed += record.error is not None
    if not answered + failed:
        if output:
            output.unlink()
        fail(f"no pictures in {', '.join(paths)}")
    if failed:
        typer.echo(f"pawsight: {failed} of {answered + failed} could not be used", err=True)
        raise typer.Exit(1)
