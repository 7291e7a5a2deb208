"""``pawsight models pull`` as a user types it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from pawsight.cli import app


def pull(*arguments: str | Path) -> tuple[int, str]:
    """Run it; returns the exit code and all that it said."""
    done = CliRunner().invoke(app, ["models", "pull", *map(str, arguments)])
    return done.exit_code, done.output
