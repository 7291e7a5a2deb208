"""What a cascade gives at each share that is sent on: a plot, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pawsight.evaluation.plots import as_svg
from pawsight.inference.cascade_card import CascadeCard, Outcome
from pawsight.labels import NEITHER

_CHOSEN: Final = "#b4541a"
_LINE: Final = "#2f5d8a"


def curve_plot(card: CascadeCard) -> str:
    """Accuracy, and how many are caught, against the share that is sent on; an ``<svg>`` element.

    The chosen thresholds are marked; lines say what the members reach alone.
    """

    def draw(figure: Figure) -> None:
        caught = any(each.catches is not None for each in card.curve)
        figure.set_size_inches(7.6 if caught else 4.0, 3.1)
        panels = figure.subplots(1, 2 if caught else 1, squeeze=False)[0]
        _panel(panels[0], card, "accuracy", "accuracy on the classes")
        if caught:
            _panel(panels[1], card, "catches", f"part of {NEITHER} that is caught")

    return as_svg(draw)


def _panel(axes: Axes, card: CascadeCard, figure: str, title: str) -> None:
    def values(outcomes: Sequence[Any]) -> list[float]:
        return [100 * (getattr(each, figure) or 0.0) for each in outcomes]

    fast, strong = values(card.alone)
    chosen: Outcome = card.choice.outcome
    axes.plot(
        [100 * each.sent_on for each in card.curve], values(card.curve), color=_LINE, marker=".",
        label="the best at each share",
    )  # fmt: skip
    axes.axhline(strong, color="0.45", linestyle="--", linewidth=1, label="the strong one alone")
    axes.axhline(fast, color="0.45", linestyle=":", linewidth=1, label="the fast one alone")
    axes.plot(
        100 * chosen.sent_on, *values([chosen]), color=_CHOSEN, marker="o", linestyle="none",
        label="chosen",
    )  # fmt: skip
    axes.set(xlabel="% of the pictures that are sent on", ylabel="%", title=title)
    axes.legend(frameon=False, fontsize=8)
