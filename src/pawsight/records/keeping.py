"""What a record keeps, and how that is going."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

State: TypeAlias = Literal["starting", "written", "not-written"]


@dataclass(frozen=True, slots=True)
class Status:
    """How the record is doing.

    Attributes:
        state: Whether answers are written; ``starting`` until the database was opened.
        reason: Why not, in words for anybody.
        waiting: Answers that are still to be written.
        lost: Answers, since the start, that will not be.
    """

    state: State
    reason: str | None
    waiting: int
    lost: int


@dataclass(frozen=True)
class Bounds:
    """What is kept; answers of which something was said always are.

    Attributes:
        days: Older answers are deleted; 0 keeps them.
        answers: So many of the latest are kept; 0 keeps all.
        all_pictures: Whether the pictures of all answers are kept, not only those that come with
            feedback.
    """

    days: float = 90
    answers: int = 1_000_000
    all_pictures: bool = False


DEFAULT_BOUNDS: Final = Bounds()
