"""``pawsight ui``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli.common import refusing
from pawsight.ui.launch import API_VARIABLE, DEFAULT_API, DEFAULT_PORT, REPORT_VARIABLE


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    api: Annotated[
        str, typer.Option(envvar=API_VARIABLE, help="Address of the service.")
    ] = DEFAULT_API,
    report: Annotated[
        Path | None,
        typer.Option(
            envvar=REPORT_VARIABLE,
            help="The report that the page Insights shows, as `pawsight evaluate --json` writes "
            "it; by default that of the embedded models.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
) -> None:
    """Start the web page, which asks a running service (`pawsight serve`)."""
    from pawsight.extras import ExtraMissing, require
    from pawsight.ui.launch import launch

    with refusing(ExtraMissing):
        require("ui", "the page")
    launch(port=port, api=api, host=host, report=report)
