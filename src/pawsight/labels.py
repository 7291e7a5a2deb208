"""The word and the number for a picture that shows none of the classes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

NEITHER: Final = "neither"
"""As a label: in tables, where it marks pictures to learn from or to test with, and in answers."""

ERROR: Final = "error"
"""In a class's place: the picture could not be read."""

UNSURE: Final = "unsure"
"""In a class's place, where pictures are sorted: the confidence is less than was wanted."""

WRONG: Final = "wrong"
"""As feedback: the answer was not right, and what would be is not said."""

TAKEN: Final = frozenset({ERROR, UNSURE, WRONG})
"""What no class can be called."""

BACKGROUND: Final = -1
"""As a class number, where the classes are counted from 0."""


def classes_of(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes that labels name, in the order of a network's logits."""
    return tuple(sorted(set(labels) - {NEITHER}))


def numbers_of(classes: Sequence[str]) -> dict[str, int]:
    """The number of each class, in the order of a network's logits, and that of ``neither``."""
    return {name: number for number, name in enumerate(classes)} | {NEITHER: BACKGROUND}


def is_about(label: str, known: Collection[str], classes: Collection[str]) -> bool:
    """Whether what was said of a model's answer tells a model of some classes anything.

    A class tells it, whoever's answer it was said of; that it is none, or that the answer was
    wrong, only of a model that knows all of the classes: what is neither a lion nor a wolf may be a
    cat.

    Args:
        label: What was said: a class, ``neither``, or ``wrong``.
        known: The classes of the model of which it was said.
        classes: Those that it is to tell something about, without ``neither``.
    """
    return label in classes or (label not in known and set(classes) <= set(known))
