"""Starting the page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

DEFAULT_API: Final = "http://127.0.0.1:8000"
DEFAULT_PORT: Final = 8501
API_VARIABLE: Final = "PAWSIGHT_API_URL"
REPORT_VARIABLE: Final = "PAWSIGHT_REPORT"
"""Names the file of the report that the page shows where nobody gives another."""


def launch(port: int, api: str, host: str = "127.0.0.1", report: Path | None = None) -> None:
    """Become the page's process; does not return.

    What does not change from one start to the next stands in ``.streamlit/config.toml``.

    Args:
        port: To listen on.
        api: Where the service answers.
        host: The address to listen on.
        report: Of an evaluation; by default that of the embedded models.
    """
    page = Path(__file__).with_name("page.py")
    arguments = ["run", str(page), "--server.port", str(port), "--server.address", host]
    environment = {**os.environ, API_VARIABLE: api}
    if report is not None:
        environment[REPORT_VARIABLE] = str(report.resolve())
    command = [sys.executable, "-m", "streamlit", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell, nothing to inject
