"""A corrected model against the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pawsight.inference.artifact import Card

SIGNIFICANT: Final = 0.05
"""Where McNemar's p is lower, two models are not equally good."""

RECIPE_KEY: Final = "against_the_one_before"
"""Where a card's recipe keeps the comparison."""


@dataclass(frozen=True)
class AgainstBefore:
    """The new model against the one before it, on pictures that neither has learned from.

    Attributes:
        pictures: How many.
        fixed: Those that the new one alone answers rightly, ``neither`` being an answer.
        broken: Those that the old one alone does.
        p_value: Of McNemar's exact test.
        corrections: How many people gave.
        right_before: Of the corrections, those that the old one answers rightly.
        right_now: Those that the new one does.
    """

    pictures: int
    fixed: int
    broken: int
    p_value: float
    corrections: int
    right_before: int
    right_now: int

    @property
    def worse(self) -> bool:
        """Whether the new one is worse, beyond what chance explains."""
        return self.broken > self.fixed and self.p_value < SIGNIFICANT


def measured_worse(card: Card) -> bool:
    """Whether a model's card says that it is worse than the one that it was made of."""
    comparison = card.provenance.recipe.get(RECIPE_KEY)
    return isinstance(comparison, dict) and comparison.get("worse") is True
