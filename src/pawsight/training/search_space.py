"""Search spaces: which fields of a recipe a search may vary, and how far."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from pawsight.invalid import in_words
from pawsight.training.recipe import Recipe, RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Suggesting(Protocol):
    """The part of an Optuna trial that draws values."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """A number between two others."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """A whole number between two others."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:  # noqa: ANN401 - any field's
        """One of several."""


class Span(BaseModel):
    """Numbers from ``low`` to ``high``; whole ones where both are.

    Attributes:
        log: Whether each doubling is as likely as the next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} must be less than high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"with log = true, low = {self.low} must be more than 0")
        return self


class Choices(BaseModel):
    """One of some values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    among: Annotated[tuple[str | int | float | bool, ...], Field(min_length=2)]


def _kind(field: Any) -> str:  # noqa: ANN401 - what a file or a caller gives
    is_choices = "among" in field if isinstance(field, dict) else isinstance(field, Choices)
    return "choices" if is_choices else "span"


Variation = Annotated[
    Annotated[Span, Tag("span")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)
]
SearchSpace = dict[str, Span | Choices]
"""By the name of a recipe's field; ``network.dropout`` is the field of a field."""

DEFAULT: Final[SearchSpace] = {
    "learning_rate": Span(low=3e-4, high=1e-2, log=True),
    "weight_decay": Span(low=5e-3, high=0.2, log=True),
    "label_smoothing": Span(low=0.0, high=0.15),
    "augmentation.min_area": Span(low=0.2, high=0.8),
    "augmentation.erase": Span(low=0.0, high=0.5),
    "optimizer": Choices(among=("adamw", "sgd", "muon")),
}


def read_search_space(file: Path) -> SearchSpace:
    """Read a search space from TOML: a table for every field.

    Args:
        file: Such as ``[learning_rate]`` with ``low``, ``high`` and ``log``, or ``[optimizer]``
            with ``among = ["adamw", "sgd"]``.

    Raises:
        RecipeError: No such file, no TOML, or not of this form.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(
            f"cannot read the search space {str(file)!r}: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"search space {str(file)!r} is not TOML: {error}") from error
    try:
        return TypeAdapter(dict[str, Variation]).validate_python(_flat(tables))
    except ValidationError as error:
        raise RecipeError(
            f"search space {str(file)!r}: {in_words(error)}; a field has `low` and `high` (and "
            "`log = true`), or `among = […]`"
        ) from error


def values_of(recipe: Recipe, space: SearchSpace) -> dict[str, Any]:
    """What a recipe has where a search space varies it, by the names of the fields.

    Raises:
        RecipeError: It has no such field, or none is varied; or what is to be chosen from is none
            that it can have, or lacks what it has: the recipe as it is is tried first.
    """
    if not space:
        raise RecipeError("the search space is empty: name a field of the recipe, with its range")
    fields, values = recipe.model_dump(mode="json"), {}
    for name, how in space.items():
        at: Any = fields
        for part in name.split("."):
            if not isinstance(at, dict) or part not in at:
                raise RecipeError(
                    f"the recipe has no {name!r} to be varied; there are "
                    f"{', '.join(sorted(at)) if isinstance(at, dict) else 'none below it'}"
                )
            at = at[part]
        values[name] = at
        for each in how.among if isinstance(how, Choices) else ():
            changed(recipe, {name: each})
        if isinstance(how, Choices) and at not in how.among:
            raise RecipeError(
                f"the recipe has {name} = {at!r}, which is tried first: add it to `among`, or "
                "begin with a recipe that has one of those"
            )
    return values


def drawn(recipe: Recipe, space: SearchSpace, trial: Suggesting) -> Recipe:
    """A recipe with the fields of a space drawn by a trial.

    Raises:
        RecipeError: A value that is drawn is none that the recipe can have.
    """
    return changed(recipe, {name: _draw(trial, name, how) for name, how in space.items()})


def changed(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """A recipe with some fields replaced, by names as in a search space.

    Raises:
        RecipeError: A value is none that the recipe can have.
    """
    fields = recipe.model_dump(mode="json")
    for name, value in values.items():
        *above, last = name.split(".")
        at = fields
        for part in above:
            at = at[part]
        at[last] = value
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        raise RecipeError(f"a recipe cannot have {values}: {in_words(error)}") from error


def _draw(trial: Suggesting, name: str, how: Span | Choices) -> Any:  # noqa: ANN401 - any field's
    if isinstance(how, Choices):
        return trial.suggest_categorical(name, how.among)
    if isinstance(how.low, int) and isinstance(how.high, int):
        return trial.suggest_int(name, how.low, how.high, log=how.log)
    return trial.suggest_float(name, float(how.low), float(how.high), log=how.log)


_LEAF: Final = frozenset(("low", "high", "log", "among"))


def _flat(tables: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Tables below tables as one level with dotted names."""
    found: dict[str, Any] = {}
    for name, table in tables.items():
        if isinstance(table, dict) and table and not _LEAF & set(table):
            found |= _flat(table, f"{above}{name}.")
        else:
            found[above + name] = table
    return found
