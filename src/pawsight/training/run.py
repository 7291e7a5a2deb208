"""RunFolder: where a training keeps what it needs to go on, or to be exported later."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pandas as pd
import torch
from pydantic import ValidationError
from torch import nn

from pawsight.invalid import in_words
from pawsight.training.recipe import Recipe
from pawsight.whole import FRESH, written_whole


class RunError(ValueError):
    """A run folder that does not fit what is asked of it."""


@dataclass(frozen=True)
class RunFolder:
    """Checkpoints, logs, the recipe and the table of one training.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Holds :attr:`last` and :attr:`best`."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """What a resumed training goes on from."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        """The best weights by validation loss."""
        return self.checkpoints / "best.ckpt"

    def trained(self) -> Path:
        """The best weights, which are there.

        Raises:
            RunError: They are not yet.
        """
        if not self.best.is_file():
            raise RunError(
                f"the training in {str(self.path)!r} has no weights yet: its first validation, "
                "at the end of an epoch, is not done"
            )
        return self.best

    @property
    def start(self) -> Path:
        """The weights that training starts from, where they are those of another training."""
        return self.checkpoints / "start.ckpt"

    @property
    def origin(self) -> str | None:
        """Where :attr:`start` comes from, in words for a card."""
        return self._origin.read_text(encoding="utf-8").strip() if self.start.is_file() else None

    @property
    def _origin(self) -> Path:
        return self.path / "started-from.txt"

    @property
    def answers(self) -> Path:
        """Holds what teachers said of the training pictures."""
        return self.path / "answers"

    @property
    def logs(self) -> Path:
        """Holds ``part-0``, and a further part for each time that the training went on."""
        return self.path / "logs"

    @property
    def _recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def _table(self) -> Path:
        return self.path / "table.csv"

    @property
    def _teachers(self) -> Path:
        return self.path / "teachers.json"

    @property
    def exists(self) -> bool:
        """Whether a training was asked for here."""
        return self._recipe.is_file()

    @property
    def begun(self) -> bool:
        """Whether it got as far as a checkpoint, which must not be lost."""
        return self.last.exists() or self.best.exists()

    def check_whole(self) -> None:
        """Refuse to go on from a checkpoint that is torn.

        Raises:
            RunError: It is; says what can still be done.
        """
        if not self.last.exists() or is_whole(self.last):
            return
        here = str(self.path)
        best = (
            f"the best weights so far are, and `pawsight export {here} --output FOLDER` makes a "
            "model of them; "
            if self.best.exists() and is_whole(self.best)
            else ""
        )
        raise RunError(
            f"the checkpoint {str(self.last)!r} is not whole, and nothing can go on from it; {best}"
            f"to train anew, remove {here!r} or name another folder"
        )

    def clear(self) -> None:
        """Remove what a training wrote here that never got as far as a checkpoint."""
        if self.exists:
            for folder in (self.answers, self.logs):
                shutil.rmtree(folder, ignore_errors=True)
        torn = (*self.checkpoints.glob(f"*{FRESH}"), *self.path.glob(f"*{FRESH}"))
        for file in (self.start, self._origin, self._table, self._teachers, self._recipe, *torn):
            file.unlink(missing_ok=True)
        with suppress(OSError):  # something else lies there
            for folder in (self.checkpoints, self.path):
                if folder.exists():
                    folder.rmdir()

    def clear_logs(self) -> None:
        """Remove what was logged of epochs that nothing is left of."""
        shutil.rmtree(self.logs, ignore_errors=True)

    @contextmanager
    def cleared_if_refused(self) -> Iterator[None]:
        """Leave nothing of a training that ends in an error before there is anything to keep."""
        try:
            yield
        except Exception:
            if not self.begun and not self.answers.exists():
                self.clear()
            raise

    def write(
        self, recipe: Recipe, table: pd.DataFrame, teachers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what the training was started with.

        Args:
            recipe: How to train.
            table: ``path``, ``label`` and ``split``.
            teachers: The version of each teacher, by the name that the recipe gives it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        table.to_csv(self._table, index=False)
        if teachers:
            self._teachers.write_text(json.dumps(teachers, indent=2) + "\n", encoding="utf-8")
        # Last, and whole: it says that a training was asked for, and a kill may come in between.
        with written_whole(self._recipe) as stream:
            stream.write(f"{recipe.model_dump_json(indent=2)}\n".encode())

    def start_from(self, network: nn.Module, origin: str) -> None:
        """Keep the weights of a network as those to start from.

        Args:
            network: The network.
            origin: Where its weights come from, in words for a card.
        """
        state = {f"network.{name}": each for name, each in network.state_dict().items()}
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        with written_whole(self.start) as stream:
            torch.save({"state_dict": state}, stream)
        self._origin.write_text(origin + "\n", encoding="utf-8")

    def read(self) -> tuple[Recipe, pd.DataFrame]:
        """What the training was started with: recipe and table.

        Raises:
            RunError: The folder holds no training, or one of another version of pawsight.
        """
        recipe = self._read_recipe()
        return recipe, self._read_table()

    def _read_recipe(self) -> Recipe:
        if not self.exists:
            raise RunError(f"no training in {str(self.path)!r}: it has no {self._recipe.name}")
        try:
            return Recipe.model_validate_json(self._recipe.read_text(encoding="utf-8"))
        except ValidationError as error:
            raise RunError(
                f"{str(self._recipe)!r} is no recipe that this pawsight knows: {in_words(error)}"
            ) from error

    def _read_table(self) -> pd.DataFrame:
        # As text: labels may be 0 and 1, or "null".
        return pd.read_csv(self._table, dtype=str, keep_default_na=False)

    def is_same(
        self, recipe: Recipe, table: pd.DataFrame, teachers: Mapping[str, str] | None = None
    ) -> bool:
        """Whether a training was asked for here that had this recipe, these teachers and data."""
        try:
            self.check_same_recipe(recipe, teachers)
            self.check_same_table(table)
        except RunError:
            return False
        return True

    def check_same_recipe(self, recipe: Recipe, teachers: Mapping[str, str] | None = None) -> None:
        """Refuse to go on with another recipe or teacher than the training began with.

        What teachers said is kept, and another version would be taken to have said it.

        Raises:
            RunError: Names what differs.
        """
        old_recipe = self._read_recipe()
        for field in Recipe.model_fields:
            before, now = getattr(old_recipe, field), getattr(recipe, field)
            if before != now:
                raise RunError(
                    f"cannot resume: {field} was {before} when training began and is {now} now; "
                    "resume with the same recipe, or train into another folder"
                )
        kept = json.loads(self._teachers.read_text("utf-8")) if self._teachers.is_file() else {}
        for name, version in (teachers or {}).items():
            if (before := kept.get(name, version)) != version:
                raise RunError(
                    f"cannot resume: the teacher {name!r} was {before} when training began and is "
                    f"{version} now; resume with the same one, or train into another folder"
                )

    def check_same_table(self, table: pd.DataFrame) -> None:
        """Refuse to go on with other data than the training began with.

        Raises:
            RunError: They are others.
        """
        old_table = self._read_table()
        columns = ["path", "label", "split"]
        if old_table[columns].to_numpy().tolist() != table[columns].to_numpy().tolist():
            raise RunError(
                "cannot resume: the pictures are not those that the training began with; "
                "resume with the same table, or train into another folder"
            )


def is_whole(file: Path) -> bool:
    """Whether a file of torch's, a ZIP, is all there, by its directory and its checksums.

    Raises:
        OSError: It cannot be read.
    """
    with file.open("rb") as stream:
        try:
            with ZipFile(stream) as parts:
                return parts.testzip() is None
        except (BadZipFile, EOFError, RuntimeError, ValueError, zlib.error):
            return False
