"""``pawsight models``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsight.cli.common import fail, model_name, refusing

if TYPE_CHECKING:
    from pawsight.inference.artifact import Described

app = typer.Typer(help="List models, verify them, and bring new ones.")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the models, or do one of the following."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models() -> None:
    """List the models that can be asked by name."""
    from rich.console import Console
    from rich.table import Table

    from pawsight.inference.catalog import available
    from pawsight.inference.errors import ModelError

    table = Table(
        "name", "source", "version", "labels", "architecture", "size", "accuracy", box=None
    )
    notes = []
    for entry in available():
        try:
            folder, networks = entry.described()
        except ModelError as error:
            notes.append(f"{entry.name}: {error}")
            continue
        card = folder.card
        size = folder.size + sum(each.size for each in networks if each is not folder)
        table.add_row(
            entry.name,
            entry.source,
            folder.version,
            ", ".join(card.labels),
            card.architecture,
            f"{size / 1e6:.1f} MB",
            _accuracy(card),
        )
    Console(width=160, soft_wrap=True, markup=False).print(table)
    for note in notes:
        typer.echo(note, err=True)


def _accuracy(card: Described) -> str:
    """The one on the most pictures that is known, and what it was measured on."""
    known = [each for each in card.metrics if each.accuracy is not None]
    if not known:
        return "not measured"
    largest = max(known, key=lambda each: ("test" in each.data, each.pictures))
    return f"{largest.accuracy:.2%} ({largest.data}, {largest.pictures} pictures)"


@app.command()
def verify(
    model: Annotated[str, typer.Argument(help="A model by name, or by the path of its folder.")],
) -> None:
    """Prove that a model answers here as it did where it was trained.

    Checks the card, the digest of every file, and the answers to the golden pictures; of a cascade,
    those of its members.
    """
    from pawsight.inference.cascade_card import CASCADE_FILE
    from pawsight.inference.catalog import load
    from pawsight.inference.errors import ModelError

    with refusing(ModelError):
        proven = load(model)
    if proven.folder.card_file == CASCADE_FILE:
        typer.echo(
            f"{proven.reference.name} {proven.reference.version}: "
            f"{len(proven.card.files)} files as they were written, and the models that its "
            "thresholds were chosen for:"
        )
    for network in proven.members:
        typer.echo(
            f"{network.reference.name} {network.reference.version}: "
            f"{len(network.card.files)} files as they were written, "
            f"{len(network.card.golden)} golden pictures answered as they were in training, "
            f"computing in {network.precision}"
        )


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="A model by name, or by the path of its folder.")],
) -> None:
    """Print a model's card."""
    from pawsight.inference.artifact import README_FILE
    from pawsight.inference.catalog import resolve
    from pawsight.inference.errors import ModelError

    with refusing(ModelError):
        folder, _ = resolve(model).described()
    readme = folder.path / README_FILE
    if not readme.is_file():
        fail(f"model folder {folder.path.name!r} has no {README_FILE}")
    typer.echo(readme.read_text(encoding="utf-8"))


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="What to install it as.")] = "pretrained",
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="A repository of the Hugging Face hub, a folder with a transformers checkpoint, "
            "or a model folder.",
        ),
    ] = "google/vit-base-patch16-224",
    revision: Annotated[
        str | None, typer.Option(help="A branch, tag or commit of the repository.")
    ] = None,
) -> None:
    """Bring a model to this machine, prove it, and serve it by name from then on, without torch.

    A checkpoint that has an ONNX file needs the extra 'hub', any other the extra 'train'.
    """
    from pawsight.extras import ExtraMissing
    from pawsight.inference.errors import ModelError
    from pawsight.models.errors import CheckpointError
    from pawsight.training.folder import ExportError
    from pawsight.training.pull import pull as bring

    called = model_name(name, Path())
    before = _labels(called)
    with refusing(ModelError, CheckpointError, ExtraMissing, ExportError, OSError):
        folder = bring(called, source, revision)
    typer.echo(f"{name} {folder.version}, {folder.size / 1e6:.1f} MB, in {folder.path}")
    now = folder.card.labels
    if before and set(before) != set(now):
        typer.echo(
            f"pawsight: {called} told {', '.join(before)} apart, and tells {', '.join(now)} now",
            err=True,
        )


@app.command()
def switch(
    name: Annotated[str, typer.Argument(help="What the model is asked for by, such as custom.")],
    folder: Annotated[Path, typer.Argument(help="A model folder.")],
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Though it was measured to be worse, or tells other classes apart."
        ),
    ] = False,
) -> None:
    """Have a model folder answer by a name, once it has proved itself; `back` undoes it.

    A service does so when it is started again, or when it is told to load the model. A cascade
    keeps the model that its thresholds were chosen for.
    """
    from pawsight.inference.artifact import ModelFolder
    from pawsight.inference.errors import ModelError
    from pawsight.inference.switch import switch as install
    from pawsight.training.against import measured_worse

    called = model_name(name, Path())
    with refusing(ModelError, OSError):
        card = ModelFolder.open(folder).card
        if measured_worse(card) and not anyway:
            fail(f"{folder} was measured to be worse than the model before it; see its card")
        before = _labels(called)
        if before and set(before) != set(card.labels) and not anyway:
            fail(
                f"{called} tells {', '.join(before)} apart, and {folder} {', '.join(card.labels)}: "
                "choose another name, or --anyway"
            )
        installed = install(called, folder)
    typer.echo(f"{called} is {installed.version} now, in {installed.path}")
    _say_from_when(called)


@app.command()
def back(
    name: Annotated[str, typer.Argument(help="What the model is asked for by, such as custom.")],
) -> None:
    """Have the model answer by a name that did before the last `switch`; again, the other.

    A name that had no model before has none then: so a model that was trained and is not wanted
    goes from the lists, from the next start of the service on.
    """
    from pawsight.inference.errors import ModelError
    from pawsight.inference.switch import back as undo

    called = model_name(name, Path())
    with refusing(ModelError, OSError):
        installed = undo(called)
    if installed:
        typer.echo(f"{called} is the one in {installed}")
    elif _labels(called):
        typer.echo(f"{called} is the embedded one")
    else:
        typer.echo(
            f"no model is called {called} any more; `pawsight models back {called}` undoes it"
        )
    _say_from_when(called)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="A model that was installed, by its name.")],
) -> None:
    """Have no installed model answer by a name any more; `back` undoes it.

    Where a model of that name is embedded, that one answers then.
    """
    from pawsight.inference.errors import ModelError
    from pawsight.inference.switch import remove as take_away

    called = model_name(name, Path())
    with refusing(ModelError, OSError):
        take_away(called)
    now = "the embedded one answers" if _labels(called) else "none answers by its name"
    typer.echo(f"{called} is removed, and {now}; `pawsight models back {called}` undoes it")
    _say_from_when(called)


def _say_from_when(name: str) -> None:
    typer.echo(
        f"pawsight: a service that runs knows of this, by the name {name}, from its next start on",
        err=True,
    )


def _labels(name: str) -> tuple[str, ...] | None:
    """Of the model that answers by a name; None where none does."""
    from pawsight.inference.catalog import resolve
    from pawsight.inference.errors import ModelError

    try:
        return tuple(resolve(name).described()[0].card.labels)
    except ModelError:  # also of a folder that is broken: anything may take its place
        return None
