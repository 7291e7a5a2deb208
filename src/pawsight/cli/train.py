"""``pawsight train``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from pawsight.cli import options, recorded
from pawsight.cli.common import (
    check_target,
    fail,
    model_name,
    read_labels,
    refusing,
    require_train_extra,
    split_rows,
)
from pawsight.cli.correct import correct, said
from pawsight.cli.debug import debug_run
from pawsight.cli.output_folder import made, refuse_others
from pawsight.cli.training import train_head, train_network

if TYPE_CHECKING:
    import pandas as pd

    from pawsight.data.splits import Strategy
    from pawsight.data.table import Table
    from pawsight.inference.catalog import Entry
    from pawsight.training.recipe import Recipe

LINE = "%(asctime)s %(name)s: %(message)s"
"""How a line of the log looks; a job's status is read from those of pawsight's own."""
MOST_SHOWN = 200
"""Where more rows are left out, a few of each kind are shown."""

_SPLIT_BY: Final[dict[Strategy, str]] = {
    "column": ", by the table's column 'split'",
    "number": "; the test pictures by the numbers in their names (--test-every)",
    "seeded": "",
}


def train(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(help="The folder that becomes a model folder; only --debug needs none."),
    ] = None,
    labels: options.Labels = None,
    images: options.Images = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe that pawsight ships, or the path of a .toml or .json file; by default "
            "simple-cnn."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the model; by default the folder's name.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Height and width in pixels, instead of the recipe's.")
    ] = None,
    seed: options.Seed = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Without --recipe: keep the network of this model (a name or a folder) and train "
            "a new head on its features, in seconds. With --recipe: train all weights, from "
            "the best of the training in this folder, or else from the model's.",
        ),
    ] = None,
    from_feedback: Annotated[
        bool,
        typer.Option(
            "--from-feedback",
            help="Correct the model of --start by what people said of its answers: refit its head "
            "and compare the two on the table's test pictures.",
        ),
    ] = False,
    records: recorded.Records = "sqlite",
    pictures_dir: recorded.PicturesDir = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a stopped training left off.")
    ] = False,
    debug: Annotated[
        Literal["table", "batch", "overfit", "profile", "learning-rate"] | None,
        typer.Option(
            help="Keep nothing: look at the table alone; one batch of training and validation; ten "
            "pictures learned by heart; where the time of some steps goes; or which learning rate "
            "to take."
        ),
    ] = None,
    checkpoint_every: Annotated[
        int,
        typer.Option(
            min=1,
            help="Steps between two checkpoints, or an epoch where that is fewer: all that a "
            "kill can cost.",
        ),
    ] = 50,
    left_out_file: Annotated[
        Path | None,
        typer.Option("--left-out", help="Write every row that is not used, and why, as CSV."),
    ] = None,
    test_every: options.TestEvery = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    classes: options.Classes = None,
) -> None:
    """Train a network on a table of pictures and labels.

    The table is checked first: every row that cannot be used is named, with what to do about it.
    Pictures that look alike never stand on both sides of the split. Rows labelled "neither" show
    none of the classes; with some of them, the model learns to say so.
    """
    require_train_extra()
    from pawsight.data.problems import COLUMNS
    from pawsight.training.recipe import RecipeError, load_recipe

    _log_to_stderr()
    changes = {"epochs": epochs, "image_size": image_size, "seed": seed}
    output = _to_write(output, debug=bool(debug))
    called = model_name(name, output)
    model: Entry | None = None
    _check_start(start, recipe, from_feedback=from_feedback, debug=bool(debug))
    if start and not recipe:
        refused = {
            "--epochs": epochs, "--image-size": image_size, "--debug": debug, "--resume": resume,
        }  # fmt: skip
        model = _to_start_from(start, [option for option, given in refused.items() if given])
    check_target(left_out_file, labels, ",".join(COLUMNS))
    with refusing(RecipeError):
        chosen = load_recipe(recipe or "simple-cnn", **changes)
    _check_without_table(chosen, output, model=model, start=start, resume=resume, debug=bool(debug))
    if not debug:
        _refuse_others(output, left_out_file, resume=resume)
        context.with_resource(made(output))
    corrections = said(model, records, pictures_dir) if model and from_feedback else None
    frame = _split(
        read_labels(
            labels,
            images,
            path_column=path_column,
            label_column=label_column,
            classes=classes,
            min_per_class=2,
        ),
        test_every,
        left_out_file,
    )
    if debug:
        debug_run(debug, frame, chosen)
    elif model and corrections is not None:
        correct(corrections, frame, model, output, name=called, seed=seed or 0)
    elif model:
        train_head(frame, model, output, name=called, seed=seed or 0)
    else:
        train_network(
            frame, chosen, output,
            name=called, start=start, resume=resume, checkpoint_every=checkpoint_every,
        )  # fmt: skip


def _log_to_stderr() -> None:
    """What pawsight itself says, and of other libraries only what is amiss."""
    logging.basicConfig(level=logging.WARNING, format=LINE, stream=sys.stderr)
    logging.getLogger("pawsight").setLevel(logging.INFO)


def _split(table: Table, test_every: int | None, left_out_file: Path | None) -> pd.DataFrame:
    """The rows that are used, in their splits; the others are told, and written if wanted."""
    from pawsight.data.problems import EXAMPLES, report, write_problems

    split = split_rows(table.frame, test_every)
    left_out = (*table.problems, *split.problems)
    few = len(left_out) <= MOST_SHOWN
    shown = MOST_SHOWN if few else EXAMPLES
    typer.echo(table.summary(shown))
    if split.problems:
        typer.echo(report(split.problems, shown))
    counts = split.frame["split"].value_counts()
    shares = ", ".join(f"{counts[each]} to {each}" for each in counts.index)
    typer.echo(f"{shares}{_SPLIT_BY[split.strategy]}")
    if left_out_file:
        with refusing(OSError):
            write_problems(left_out, left_out_file)
    elif not few:
        typer.echo("--left-out FILE writes all rows that are not used into a table")
    return split.frame


def _to_write(output: Path | None, *, debug: bool) -> Path:
    """The folder of the model; of a debug run, which writes nothing, any."""
    if output is None and not debug:
        fail("name the folder that becomes a model folder: --output")
    return output or Path()


def _check_start(
    start: str | None, recipe: str | None, *, from_feedback: bool, debug: bool
) -> None:
    if debug and start and recipe:
        fail("--debug begins where the recipe does, and takes no --start")
    if from_feedback and not start:
        fail(
            "--from-feedback corrects the model that --start names: the one whose answers people "
            "spoke of, by its name or its folder; of a cascade such as auto, the network that is "
            "to learn, such as --start custom"
        )
    if from_feedback and recipe:
        fail("--from-feedback keeps the network of --start as it is, and takes no --recipe")


def _to_start_from(start: str, refused: list[str]) -> Entry:
    """The model whose features a new head is trained on."""
    from pawsight.inference.artifact import RUN_FOLDER
    from pawsight.inference.catalog import resolve
    from pawsight.inference.errors import ModelError, UnknownModel
    from pawsight.training.run import RunFolder

    if refused:
        fail(
            f"a new head on a model's features takes no {', '.join(refused)}: its network stays as "
            "it is. With --recipe, --start trains all weights"
        )
    try:
        found = resolve(start)
    except UnknownModel as error:
        if RunFolder(Path(start) / RUN_FOLDER).exists:
            fail(
                f"{start!r} holds a training and is no model yet: `pawsight export` makes one of "
                "it; with --recipe, --start trains all its weights"
            )
        fail(str(error))
    with refusing(ModelError):
        found.open()  # a cascade, say, or a folder that is broken
    return found


def _check_without_table(
    recipe: Recipe,
    output: Path,
    *,
    model: Entry | None,
    start: str | None,
    resume: bool,
    debug: bool,
) -> None:
    """Refuse what would be refused once all pictures were looked at."""
    from pawsight.inference.errors import ModelError
    from pawsight.training.run import RunError

    if model:
        from pawsight.training.headed import refuse_taken

        with refusing(RunError, OSError):
            refuse_taken(output)
    elif not debug:  # by what takes Lightning and transformers seconds to load
        from pawsight.training.starting_points import StartingPointError
        from pawsight.training.train import check_without_table

        with refusing(RunError, StartingPointError, ModelError, OSError):
            check_without_table(recipe, output, resume=resume, start=start)


def _refuse_others(output: Path, left_out: Path | None, *, resume: bool) -> None:
    """Refuse a folder with other things in it, unless a training that began there goes on."""
    from pawsight.inference.artifact import RUN_FOLDER
    from pawsight.training.folder import BEFORE_CARD
    from pawsight.training.run import RunFolder

    with refusing(OSError):
        if not (resume and RunFolder(output / RUN_FOLDER).begun):
            refuse_others(
                output, {RUN_FOLDER, *BEFORE_CARD, *([left_out.name] if left_out else [])}
            )
