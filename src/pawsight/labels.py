"""The word and the number for a picture that shows none of the classes."""

from collections.abc import Iterable, Sequence
from typing import Final

NEITHER: Final = "neither"
"""As a label: in tables, where it marks pictures to learn from or to test with, and in answers."""

BACKGROUND: Final = -1
"""As a class number, where the classes are counted from 0."""


def classes_of(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes that labels name, in the order of a network's logits."""
    return tuple(sorted(set(labels) - {NEITHER}))


def numbers_of(classes: Sequence[str]) -> dict[str, int]:
    """The number of each class, in the order of a network's logits, and that of ``neither``."""
    return {name: number for number, name in enumerate(classes)} | {NEITHER: BACKGROUND}
