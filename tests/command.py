"""The command line, called in the test's process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from pawsight.cli import app


def run(*arguments: str | int | Path, given: bytes = b"") -> Result:
    """Call ``pawsight`` with these arguments, and with bytes on its standard input."""
    return CliRunner().invoke(app, [str(each) for each in arguments], input=given)
