"""``pawsight export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pawsight.cli.common import counting, model_name, refusing, require_train_extra
from pawsight.cli.output_folder import made, refuse_others
from pawsight.cli.training import say_accuracies


def export(
    context: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(help="The output of a training, or the folder training/ below it."),
    ],
    output: Annotated[Path, typer.Option(help="The folder that becomes a model folder.")],
    name: Annotated[
        str | None, typer.Option(help="Of the model; by default the folder's name.")
    ] = None,
) -> None:
    """Make a model folder of a training's best weights so far.

    `pawsight train` does this at its end; this is for a training that was stopped, or is not yet
    done.
    """
    require_train_extra()
    from pawsight.images.errors import ImageError
    from pawsight.inference.artifact import RUN_FOLDER
    from pawsight.inference.catalog import has_card
    from pawsight.training.export import export_run, refuse_other_model
    from pawsight.training.folder import BEFORE_CARD, ExportError
    from pawsight.training.run import RunError, RunFolder

    called = model_name(name, output)
    if not RunFolder(run).exists and RunFolder(run / RUN_FOLDER).exists:
        run = run / RUN_FOLDER
    with refusing(RunError, OSError):
        refuse_other_model(RunFolder(run), output)
        # The folder of an earlier export, or of the training itself, may hold other things.
        if not has_card(output) and (output / RUN_FOLDER).resolve() != run.resolve():
            refuse_others(output, BEFORE_CARD)
    context.with_resource(made(output))
    with (
        refusing(RunError, ExportError, ImageError, OSError),
        counting("measuring") as advance,
    ):
        folder = export_run(RunFolder(run), output, name=called, progress=advance)
    say_accuracies(folder)
    typer.echo(f"model folder {output}, {folder.size / 1e6:.1f} MB")
