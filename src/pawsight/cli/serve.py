"""``pawsight serve``."""

from __future__ import annotations

import errno
import os
import socket
from typing import Annotated, Any

import typer

from pawsight.cli import options
from pawsight.cli.common import fail, refusing


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [8000].")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model by name or folder; may be given several times."),
    ] = None,
    may_lose: options.MayLose = None,
    training: Annotated[
        bool | None,
        typer.Option(
            "--training/--no-training",
            help="Have models be trained by way of the service; it is off by default.",
        ),
    ] = None,
) -> None:
    """Start the HTTP service; its documentation is at /docs.

    What is not given here comes from PAWSIGHT_* environment variables.
    """
    from pydantic import ValidationError

    from pawsight.extras import ExtraMissing
    from pawsight.inference.errors import ModelError
    from pawsight.invalid import in_words
    from pawsight.serving.early import begin
    from pawsight.serving.settings import Settings, misspelt

    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "serve_models": model,
        "may_lose": may_lose,
        "training": training,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        words = in_words(error, whole="")
        fail(f"setting {words}" if error.errors()[0]["loc"] else words)
    for name, meant in misspelt(os.environ).items():
        typer.echo(f"pawsight: {name} sets nothing: is {meant} meant?", err=True)
    if "PAWSIGHT_API_KEY" in os.environ and not settings.keys:
        typer.echo(
            "pawsight: PAWSIGHT_API_KEY is what a client sends, and whoever asks needs no key: is "
            "PAWSIGHT_API_KEYS meant?",
            err=True,
        )
    _check_address(settings.host, settings.port)
    with refusing(ModelError, ExtraMissing):
        loader = begin(settings)
        from pawsight.serving.server import serve as run  # FastAPI; networks are loaded meanwhile

        run(settings, loader)


def _check_address(host: str, port: int) -> None:
    """Refuse what cannot be listened on before models are loaded; port 0 is any that is free."""
    refused: OSError | None = None
    try:
        for place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            refused = _why_not(place)
            if refused is None or refused.errno == errno.EADDRINUSE:
                break  # of a name's addresses, one is enough
    except OSError as error:  # no such name
        refused = error
    if refused:
        fail(f"cannot listen on {host}, port {port}: {refused.strerror}; --host and --port choose")


def _why_not(place: tuple[Any, ...]) -> OSError | None:
    """Why an address, as ``getaddrinfo`` gives it, cannot be listened on."""
    family, kind, protocol, _, address = place
    try:
        with socket.socket(family, kind, protocol) as tried:
            if os.name == "posix":  # as the server, which takes what another has just given up
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        return error
    return None
