"""Another model folder under a name, and the way back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pawsight.inference.artifact import RUN_FOLDER, ModelFolder
from pawsight.inference.catalog import installed_models
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError

PREVIOUS: Final = ".previous"
"""The folder, among the installed models, of those that answered by their names before."""


def switch(name: str, folder: Path) -> ModelFolder:
    """Install a copy of a folder under a name, and keep the one that was installed there.

    Args:
        name: What it is asked for by, from the next start of a program on.
        folder: A model folder of one network.

    Raises:
        ModelError: It does not prove itself.
        OSError: It cannot be copied.
    """
    Classifier(ModelFolder.open(folder))
    home = installed_models()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".switch-") as place:
        fresh = Path(place) / name
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(RUN_FOLDER))
        now, before, aside = home / name, home / PREVIOUS / name, Path(place) / "before"
        before.parent.mkdir(exist_ok=True)
        with _all_or_none() as move:
            if now.exists():
                move(now, aside)
            move(fresh, now)
            if aside.exists():
                if before.exists():
                    move(before, Path(place) / "older")
                move(aside, before)
    return ModelFolder.open(home / name)


def put(fresh: Path, target: Path, aside: Path) -> None:
    """Put a folder in the place of another, if there is one.

    Args:
        fresh: The folder, on the same disk.
        target: Its place.
        aside: Where what is there goes; it stays where it is if the new one cannot be put there.

    Raises:
        OSError: It cannot be.
    """
    with _all_or_none() as move:
        if target.exists():
            move(target, aside)
        move(fresh, target)


@contextmanager
def _all_or_none() -> Iterator[Callable[[Path, Path], None]]:
    """Give what moves a folder to a free place; where one cannot be moved, all are moved back."""
    moved: list[tuple[Path, Path]] = []

    def move(folder: Path, place: Path) -> None:
        folder.rename(place)
        moved.append((folder, place))

    try:
        yield move
    except OSError:
        for folder, place in reversed(moved):
            place.rename(folder)
        raise


def remove(name: str) -> None:
    """Have no installed model answer by a name any more; :func:`back` undoes it.

    Raises:
        ModelError: None does.
        OSError: It cannot be moved.
    """
    home = installed_models()
    now, before = home / name, home / PREVIOUS / name
    if not now.is_dir():
        raise ModelError(f"no model is installed as {name!r}")
    before.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".switch-") as place, _all_or_none() as move:
        if before.exists():
            move(before, Path(place) / "older")
        move(now, before)


def back(name: str) -> Path | None:
    """Have the model answer by a name that did before the last switch; twice changes nothing.

    Returns:
        Its folder; None where no model is installed by the name any more, so that the embedded one
        answers, if there is one.

    Raises:
        ModelError: Nothing was switched.
    """
    home = installed_models()
    now, before = home / name, home / PREVIOUS / name
    if not now.exists() and not before.exists():
        raise ModelError(f"nothing was switched: no other model was installed as {name!r}")
    before.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".switch-") as place, _all_or_none() as move:
        aside = Path(place) / name
        if now.exists():
            move(now, aside)
        if before.exists():
            move(before, now)
        if aside.exists():
            move(aside, before)
    return now if now.exists() else None
