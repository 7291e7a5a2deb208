"""``pawsight seen``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsight.cli import options
from pawsight.cli.common import check_new, fail, of_total, refusing, require_train_extra
from pawsight.terminal import for_terminal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def seen(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders (searched to the bottom) and globs.", metavar="PATH..."
        ),
    ],
    model: options.Model = options.DEFAULT_MODEL,
    output: Annotated[
        Path | None,
        typer.Option(help="Write every picture with its distance to this CSV, which must be new."),
    ] = None,
) -> None:
    """Find the pictures that a model was trained or validated on, resized or recompressed too.

    The distance is the number of bits, of 256, in which the perceptual hashes of a picture and of
    the most similar one of training differ: different photographs are at least 66 apart.
    Exit code: 0, or 1 where a file could not be read.
    """
    require_train_extra()
    from pawsight.bulk.sources import find_pictures
    from pawsight.data.duplicates import MAX_DISTANCE
    from pawsight.evaluation.seen import distances, parents, read_seen
    from pawsight.inference.catalog import resolve
    from pawsight.inference.errors import ModelError

    with refusing(ModelError):
        _, networks = resolve(model).described()
    trained_on = read_seen(networks)
    if trained_on is None:
        fail(f"the model {model!r} does not say what it was trained on")
    check_new(output)
    files, hashes, errors = _hash([str(path) for path in find_pictures(paths)])
    for error in errors:
        typer.echo(f"pawsight: {for_terminal(error)}", err=True)
    if not files and not errors:
        fail(f"no pictures in {', '.join(paths)}")
    apart = distances(hashes, trained_on)
    found = apart <= MAX_DISTANCE
    for path, distance, was in zip(files, apart, found, strict=True):
        if was:
            typer.echo(f"{for_terminal(path)}  {distance} bits apart")
    if output:
        with refusing(OSError), output.open("x", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", "distance", "seen"])
            writer.writerows(
                (path, distance, was)
                for path, distance, was in zip(files, apart.tolist(), found.tolist(), strict=True)
            )
    heads = "".join(f", or of {parent} whose network it has" for parent in parents(networks))
    typer.echo(f"{found.sum()} of {len(files)} pictures were in the training of {model}{heads}")
    if errors:
        raise typer.Exit(1)


def _hash(paths: list[str]) -> tuple[list[str], NDArray[np.uint64], list[str]]:
    """The files that can be read, their hashes, and what is wrong with the others."""
    import numpy as np

    from pawsight.bulk.rows import reason
    from pawsight.data.cleaning import printable
    from pawsight.data.duplicates import HASH_WORDS, hash_file
    from pawsight.data.parallel import map_files
    from pawsight.images.errors import ImageError

    def attempt(path: str) -> NDArray[np.uint64] | str:
        try:
            return hash_file(path)
        except (ImageError, OSError) as error:
            return reason(error)

    files, hashes, errors = [], [], []
    with of_total("comparing pictures") as progress:
        answers = map_files(attempt, paths, progress)
    for path, answer in zip(map(printable, paths), answers, strict=True):
        if isinstance(answer, str):
            errors.append(f"{path}: {answer}")
        else:
            files.append(path)
            hashes.append(answer)
    return files, np.array(hashes, dtype=np.uint64).reshape(-1, HASH_WORDS), errors
