"""The command line: one command a file. What a command needs is imported when it runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from pawsight.cli import (
    audit,
    cascade,
    classify,
    diff,
    evaluate,
    explain,
    export,
    feedback,
    models,
    seen,
    serve,
    train,
    tune,
    ui,
)
from pawsight.cli.memory import keep_memory

app = typer.Typer(
    name="pawsight",
    help="Tells cats from dogs in photographs, and says neither when it is neither.",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(classify.classify)
app.command()(diff.diff)
app.command()(explain.explain)
app.command()(serve.serve)
app.command()(ui.ui)
app.command()(train.train)
app.command()(tune.tune)
app.command()(evaluate.evaluate)
app.command()(seen.seen)
app.command()(audit.audit)
app.command()(cascade.cascade)
app.command()(export.export)
app.add_typer(feedback.app, name="feedback")
app.add_typer(models.app, name="models")


@app.callback()
def _of_all(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Say which pawsight this is, and end.")
    ] = False,
) -> None:
    if version:
        from pawsight import __version__

        typer.echo(f"pawsight {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the program."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        # Else a name with a character that the terminal does not know would end it.
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] in (["train"], ["tune"]):
        keep_memory()
    app()
