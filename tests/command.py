"""The command line, called in the test's process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from pawsight.cli import app


def run(*arguments: str | int | Path) -> Result:
    """Call ``pawsight`` with these arguments."""
    return CliRunner().invoke(app, [str(each) for each in arguments])
