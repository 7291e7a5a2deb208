"""When a picture is called ``neither``: the threshold, others to choose from, what each loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from pawsight.inference.sealed import Share, Strict


class OperatingPoint(Strict):
    """A threshold, and what is to be expected of it.

    Attributes:
        threshold: A lower score is rejected.
        loses: The part of pictures of the classes that are expected to be rejected.
        loses_interval: That part's 95 % interval, given the pictures that the threshold was chosen
            on.
        catches: The part of validation pictures of none of the classes that is rejected; None
            where there were none.
        catches_interval: Its 95 % confidence interval.
    """

    threshold: float
    loses: Share
    loses_interval: tuple[Share, Share]
    catches: Share | None
    catches_interval: tuple[Share, Share] | None


class Rejection(Strict):
    """When a picture is called ``neither``.

    Attributes:
        score: What is compared: ``energy`` is ``logsumexp(logits)``.
        threshold: A lower score is rejected.
        points: Thresholds to choose from, by rising threshold; empty where they were not chosen on
            pictures.
        trained: Whether training had pictures of none of the classes.
    """

    score: Literal["energy"] = "energy"
    threshold: float
    points: tuple[OperatingPoint, ...] = ()
    trained: bool

    @property
    def point(self) -> OperatingPoint | None:
        """What is to be expected of the threshold; None where it was not chosen on pictures."""
        fitting = (point for point in self.points if point.threshold == self.threshold)
        return next(fitting, None)

    def losing(self, at_most: float) -> float:
        """The threshold that rejects most and is expected to lose at most this part.

        Args:
            at_most: Of pictures of the classes, in [0, 1]; 0 rejects nothing.

        Raises:
            ValueError: No threshold promises as little; says which there are.
        """
        if at_most == 0:
            return float("-inf")
        return strictest([(point.loses, point.threshold) for point in self.points], at_most)


Choosable = TypeVar("Choosable")


def strictest(offered: Sequence[tuple[float, Choosable]], at_most: float) -> Choosable:
    """The last that is expected to lose at most a part of the classes' pictures.

    Args:
        offered: What each is expected to lose, and what it is, by how much it rejects.
        at_most: In (0, 1].

    Raises:
        ValueError: None promises as little, and which there are; or it is no part.
    """
    if not 0 < at_most <= 1:
        raise ValueError(f"a part of the pictures is a number from 0 to 1, not {at_most:g}")
    fitting = [each for loses, each in offered if loses <= at_most]
    if not fitting:
        known = ", ".join(f"{loses:g}" for loses, _ in offered)
        raise ValueError(
            f"no threshold is known to lose at most {at_most:g} of the classes' pictures; "
            + (f"known are {known}, and 0 to reject nothing" if known else "none is known")
        )
    return fitting[-1]
