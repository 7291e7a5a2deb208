"""The report's plots, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from pawsight.evaluation.curves import reliability
from pawsight.evaluation.evaluate import Evaluation
from pawsight.labels import NEITHER

_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",
    # The same figures give the same file.
    "svg.hashsalt": "pawsight",
}


def plots(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Draw what can be drawn of the data at hand.

    Args:
        evaluations: One for each model, on the same pictures.

    Returns:
        Title → an ``<svg>`` element.
    """
    known = evaluations[0].known
    drawn: dict[str, str] = {}
    if known.any():
        drawn["Reliability"] = _draw(_reliability, evaluations)
        for name in _curved(evaluations):
            drawn[f"ROC: {name} among the classes"] = _draw(_roc_of(name), evaluations)
            drawn[f"Precision and recall: {name}"] = _draw(_recall_of(name), evaluations)
    if known.any() and not known.all():
        drawn[f"ROC: any of the classes, or {NEITHER}"] = _draw(_roc_of_any, evaluations)
        drawn[f"What rejecting costs ({NEITHER})"] = _draw(_rejection, evaluations)
    return drawn


def _curved(evaluations: Sequence[Evaluation]) -> list[str]:
    """The classes that all models have and that have pictures; of two, the first alone."""
    first = evaluations[0]
    shared = [name for name in first.classes if all(name in each.classes for each in evaluations)]
    labels = first.labels[first.known]
    there = [name for name in shared if 0 < (labels == first.classes.index(name)).mean() < 1]
    return there[:1] if len(first.classes) == 2 else there


def _draw(plot: Callable[[Axes, Evaluation], None], evaluations: Sequence[Evaluation]) -> str:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for each in evaluations:
            plot(axes, each)
        axes.legend(frameon=False)

    return as_svg(draw)


def as_svg(draw: Callable[[Figure], None]) -> str:
    """What is drawn on a figure, as an ``<svg>`` element; the same again makes the same."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 3.4), layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _reliability(axes: Axes, evaluation: Evaluation) -> None:
    """How often answers of each confidence are right."""
    bins = reliability(evaluation)
    if not axes.lines:
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=":")
    axes.plot(
        [each["confidence"] for each in bins], [each["right"] for each in bins],
        marker="o", markersize=3, label=_named(evaluation, "ECE"),
    )  # fmt: skip
    axes.set(
        xlabel="confidence",
        ylabel="part that is right",
        xlim=(1 / len(evaluation.classes) - 0.05, 1.02),
        ylim=(0, 1.02),
    )


def _roc_of(name: str) -> Callable[[Axes, Evaluation], None]:
    def plot(axes: Axes, evaluation: Evaluation) -> None:
        known, number = evaluation.known, evaluation.classes.index(name)
        truth = evaluation.labels[known] == number
        false, true, _ = roc_curve(truth, evaluation.probabilities[known, number])
        axes.plot(false, true, label=_label(evaluation))
        axes.set(xlabel="false positives", ylabel="true positives", ylim=(0, 1.02))

    return plot


def _recall_of(name: str) -> Callable[[Axes, Evaluation], None]:
    def plot(axes: Axes, evaluation: Evaluation) -> None:
        known, number = evaluation.known, evaluation.classes.index(name)
        truth = evaluation.labels[known] == number
        precision, recall, _ = precision_recall_curve(
            truth, evaluation.probabilities[known, number]
        )
        axes.plot(recall, precision, label=_label(evaluation))
        axes.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))

    return plot


def _roc_of_any(axes: Axes, evaluation: Evaluation) -> None:
    false, true, _ = roc_curve(evaluation.known, evaluation.scores)
    axes.plot(false, true, label=_named(evaluation, "AUROC"))
    axes.set(
        xlabel=f"part of {NEITHER} that passes", ylabel="part of the classes that passes",
        ylim=(0, 1.02),
    )  # fmt: skip


def _rejection(axes: Axes, evaluation: Evaluation) -> None:
    passing, kept, _ = roc_curve(evaluation.known, evaluation.scores)
    [line] = axes.plot(1 - kept, 1 - passing, label=_label(evaluation))
    axes.plot(
        [evaluation.loses or 0.0], [evaluation.catches or 0.0],
        marker="o", color=line.get_color(), linestyle="none",
    )  # fmt: skip
    axes.set(
        xlabel="part of the classes that is lost", ylabel=f"part of {NEITHER} that is caught",
        xlim=(-0.002, max(0.1, 1.2 * (evaluation.loses or 0.0))), ylim=(0, 1.02),
    )  # fmt: skip


def _named(evaluation: Evaluation, figure: str) -> str:
    value = evaluation.ece if figure == "ECE" else evaluation.auroc
    if value is None:
        return _label(evaluation)
    shown = f"{value:.2%}" if figure == "ECE" else f"{value:.4f}"
    return f"{_label(evaluation)}, {figure} {shown}"


def _label(evaluation: Evaluation) -> str:
    """A model's name as matplotlib shows it: no formulas, and no underscore that hides it."""
    return "\u200b" + evaluation.model.name.replace("$", r"\$")
