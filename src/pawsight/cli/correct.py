"""``pawsight train --from-feedback``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pawsight.cli import recorded
from pawsight.cli.common import counting, fail, refusing

if TYPE_CHECKING:
    import pandas as pd

    from pawsight.inference.catalog import Entry


def said(model: Entry, records: str, pictures_dir: Path | None) -> pd.DataFrame:
    """What people said of a model's answers, ``path`` and ``label``; exit code 2 if nothing.

    Args:
        model: To correct.
        records: As the service's setting.
        pictures_dir: Likewise.
    """
    import pandas as pd

    from pawsight.inference.errors import ModelError
    from pawsight.training.correct import refuse_none
    from pawsight.training.run import RunError

    with refusing(RunError, ModelError, OSError):
        labels = model.open().card.labels
        found = recorded.corrections(records, pictures_dir, lambda _: labels)
        frame: pd.DataFrame = pd.DataFrame(
            [(str(path), label) for path, label in found.rows], columns=["path", "label"]
        )
        refuse_none(frame)
    return frame


def correct(
    corrections: pd.DataFrame,
    table: pd.DataFrame,
    model: Entry,
    output: Path,
    *,
    name: str,
    seed: int,
) -> None:
    """Correct a model by what people said, and say whether it is to be switched to.

    Args:
        corrections: From :func:`said`.
        table: With its split.
        model: To correct.
        output: The folder that becomes a model folder.
        name: For its card.
        seed: Of what is drawn.
    """
    from pawsight.evaluation.evaluate import EvaluationError
    from pawsight.images.errors import ImageError
    from pawsight.inference.errors import ModelError
    from pawsight.training.correct import correct as learn
    from pawsight.training.folder import ExportError
    from pawsight.training.run import RunError

    errors = (RunError, ModelError, ExportError, EvaluationError, ImageError, OSError)
    with refusing(*errors), counting("looking") as advance:
        start = model.open()
        done = learn(corrections, table, start, output, name=name, seed=seed, progress=advance)
    typer.echo(
        f"of {done.corrections} corrections, {done.right_before} were right before and "
        f"{done.right_now} are now"
    )
    typer.echo(
        f"of {done.pictures} test pictures, {done.fixed} are right now that were not, and "
        f"{done.broken} are not that were: p = {done.p_value:.2g} (McNemar)"
    )
    if done.worse:
        fail(f"it is worse than {model.name}: better corrections, or more of them, may help")
    if model.source == "local":  # it has no name by which another could answer
        typer.echo(
            f"no worse than {model.path}, which stays: name {output} in its place, or give it a "
            f"name of its own by `pawsight models switch NAME {output}`"
        )
        return
    typer.echo(
        f"no worse than {model.name}: `pawsight models switch {model.name} {output}` has it answer "
        f"by that name, and `pawsight models back {model.name}` is the way back"
    )
