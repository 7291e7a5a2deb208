"""``pawsight explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli import options
from pawsight.cli.common import check_new, fail, refusing


def explain(
    picture: Annotated[str, typer.Argument(help="The picture.")],
    output: Annotated[Path, typer.Option(help="The overlay to write; its ending says the format.")],
    model: options.Model = options.DEFAULT_MODEL,
    label: Annotated[
        str | None, typer.Option(help="The class to explain; by default the most probable one.")
    ] = None,
) -> None:
    """Show why: colour a picture by what its places said, red for the class, blue against it.

    By the model's own class activation map if it has one, else by covering one place after another.
    Of a cascade, the member that named the class is asked why.
    """
    from PIL import Image

    from pawsight.bulk.stores import is_address
    from pawsight.images.decode import decode
    from pawsight.images.errors import ImageError
    from pawsight.images.files import read_file
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError
    from pawsight.inference.explain import explain as explain_picture

    if is_address(picture):
        fail("explain takes a file of this machine, and no address: fetch it first")
    file = Path(picture)
    if output.exists() and file.exists() and output.samefile(file):
        fail("the overlay would take the picture's place: name another file")
    check_new(output)
    if Image.registered_extensions().get(output.suffix.lower()) not in Image.SAVE:
        fail(f"{str(output)!r}: its ending names no format; name it .png or .jpg")
    with refusing(ModelError, ImageError, OSError, ValueError):
        data = read_file(file)
        explanation = explain_picture(load(model), data, label)
        Image.fromarray(explanation.overlay(decode(data))).save(output)
    answer = explanation.prediction
    likeliest = max(answer.probabilities, key=answer.probabilities.__getitem__)
    said = f"neither; if anything, {likeliest}" if answer.rejected else answer.label
    typer.echo(
        f"{said} ({answer.confidence:.1%}); {output} shows what spoke for "
        f"{explanation.label}, whose logit is {explanation.logit:.2f}, by {explanation.method}"
        + (
            f" of {answer.decided_by.name}, which named the class"
            if answer.decided_by != answer.model
            else ""
        )
    )
