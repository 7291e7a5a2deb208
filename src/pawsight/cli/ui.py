"""``pawsight ui``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli.common import fail


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 8501,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    api: Annotated[
        str, typer.Option(envvar="PAWSIGHT_API_URL", help="Address of the service.")
    ] = "http://127.0.0.1:8000",
    report: Annotated[
        Path | None,
        typer.Option(
            envvar="PAWSIGHT_REPORT",
            help="The report that the page Insights shows, as `pawsight evaluate --json` writes "
            "it; by default that of the embedded models.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
) -> None:
    """Start the web page, which asks a running service (`pawsight serve`)."""
    if find_spec("streamlit") is None:
        fail(
            "the page needs Streamlit: the extra 'ui' brings it (where the source is: "
            "`pip install '.[ui]'`)"
        )
    from pawsight.ui.launch import launch

    launch(port=port, api=api, host=host, report=report)
