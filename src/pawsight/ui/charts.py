"""Charts as Vega-Lite, in the theme's colours: figures in, specifications out.

Marks are no parts of the accessibility tree (``aria``): there are hundreds of them, and the chart
has a text, and the page a table, that say what they show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pawsight.ui.report import Bin, Counts, Measured

Spec: TypeAlias = dict[str, Any]
Row: TypeAlias = dict[str, Any]

_MODEL: Final = {
    "field": "model",
    "type": "nominal",
    "title": None,
    "legend": {"orient": "bottom"},
}
_CORNER: Final = 0.1
"""The part of an axis that is shown where good models lie."""


def roc(counts: Mapping[str, Counts], threshold: float, *, corner: bool) -> Spec:
    """True against false positives, with a point where a threshold lies.

    Args:
        counts: Of each model.
        threshold: In the counts' own measure.
        corner: Whether only the corner of good models is shown.
    """
    rows = [
        {"model": name, "x": false / each.negatives, "y": true / each.positives, "order": number}
        for name, each in counts.items()
        for number, (true, false) in enumerate(zip(each.true, each.false, strict=True))
    ]
    points = [
        {"model": name, "x": false / each.negatives, "y": true / each.positives}
        for name, each in counts.items()
        for true, false in [each.at(threshold)]
    ]
    return _curve(
        rows,
        points,
        ("false positives", [0, _CORNER] if corner else [0, 1]),
        ("true positives", [1 - _CORNER, 1] if corner else [0, 1]),
    )


def precision_recall(counts: Mapping[str, Counts], threshold: float, *, corner: bool) -> Spec:
    """Precision against recall, with a point where a threshold lies."""
    rows = [
        {"model": name, "x": true / each.positives, "y": true / (true + false), "order": number}
        for name, each in counts.items()
        for number, (true, false) in enumerate(zip(each.true, each.false, strict=True))
        if true + false
    ]
    points = [
        {"model": name, "x": true / each.positives, "y": true / (true + false)}
        for name, each in counts.items()
        for true, false in [each.at(threshold)]
        if true + false
    ]
    domain = [1 - _CORNER, 1] if corner else [0, 1]
    return _curve(rows, points, ("recall", domain), ("precision", domain))


def rejection(counts: Mapping[str, Counts], share: float, most: float) -> Spec:
    """What is caught of neither against what is lost of the classes.

    Args:
        counts: Of each model, by its score.
        share: Of the classes' pictures that may be lost: where the points lie.
        most: The end of that axis.
    """
    rows = [
        {
            "model": name,
            "x": 1 - true / each.positives,
            "y": 1 - false / each.negatives,
            "order": number,
        }
        for name, each in counts.items()
        for number, (true, false) in enumerate(zip(each.true, each.false, strict=True))
    ]
    points = [
        {"model": name, "x": 1 - true / each.positives, "y": 1 - false / each.negatives}
        for name, each in counts.items()
        for true, false in [each.losing(share)]
    ]
    return _curve(rows, points, ("of the classes, lost", [0, most]), ("of neither, caught", [0, 1]))


def reliability(bins: Mapping[str, Sequence[Bin]]) -> Spec:
    """The part that is right against confidence."""
    rows = [
        {"model": name, "x": each.confidence, "y": each.right, "pictures": each.pictures}
        for name, found in bins.items()
        for each in found
    ]
    x = _axis("x", "confidence", [0.4, 1])
    y = _axis("y", "part that is right", [0, 1])
    return {
        "layer": [
            {
                "data": {"values": [{"x": 0.4, "y": 0.4}, {"x": 1, "y": 1}]},
                "mark": {"type": "line", "aria": False, "strokeDash": [3, 3], "color": "#8a8a86"},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "line", "aria": False, "point": {"size": 45}, "clip": True},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": _MODEL,
                    "tooltip": [
                        {"field": "model"},
                        {"field": "x", "format": ".1%", "title": "confidence"},
                        {"field": "y", "format": ".1%", "title": "right"},
                        {"field": "pictures"},
                    ],
                },
            },
        ]
    }


def speed(models: Sequence[Measured]) -> Spec:
    """Accuracy, with its interval, against processor time a picture, in times of the fastest."""
    rows = list(_speeds(models))
    lowest = min(row["low"] for row in rows)
    highest = max(row["high"] for row in rows)
    y = _axis("y", "accuracy", [lowest - 0.002, min(1.0, highest + 0.002)])
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "processor time a picture (the fastest: 1)",
        "scale": {"domainMin": 0, "nice": True},
    }
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "aria": False, "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": _MODEL,
                },
            },
            {
                "mark": {"type": "point", "aria": False, "filled": True, "size": 110, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": _MODEL,
                    "tooltip": [
                        {"field": "model"},
                        {"field": "y", "format": ".2%", "title": "accuracy"},
                        {"field": "x", "format": ".1f", "title": "times the fastest"},
                    ],
                },
            },
        ],
    }


def _speeds(models: Sequence[Measured]) -> Iterator[Row]:
    timed = [
        (each, each.processor_milliseconds_a_picture, each.accuracy)
        for each in models
        if each.processor_milliseconds_a_picture and each.accuracy is not None
    ]
    fastest = min((took for _, took, _ in timed), default=0.0)
    for each, took, accuracy in timed:
        low, high = each.accuracy_interval_95 or (accuracy, accuracy)
        yield {
            "model": each.model,
            "x": took / fastest,
            "y": accuracy,
            "low": low,
            "high": high,
        }


def losses(rows: Sequence[Row], title: str) -> Spec:
    """A training's curves: rows of ``epoch``, ``value`` and ``model`` (training or validation)."""
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "line", "aria": False, "point": {"size": 40}},
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "title": "epoch",
                "axis": {"tickMinStep": 1, "format": "d"},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": title,
                "axis": {"format": ".3~f"},
                "scale": {"zero": False},
            },
            "color": _MODEL,
        },
    }


def _curve(
    rows: Sequence[Row],
    points: Sequence[Row],
    x: tuple[str, Sequence[float]],
    y: tuple[str, Sequence[float]],
) -> Spec:
    axes = {"x": _axis("x", *x), "y": _axis("y", *y), "color": _MODEL}
    return {
        "layer": [
            {
                "data": {"values": list(rows)},
                "mark": {"type": "line", "aria": False, "clip": True},
                "encoding": {**axes, "order": {"field": "order"}},
            },
            {
                "data": {"values": list(points)},
                "mark": {
                    "type": "point",
                    "aria": False,
                    "filled": True,
                    "size": 110,
                    "opacity": 1,
                    "clip": True,
                },
                "encoding": {
                    **axes,
                    "tooltip": [
                        {"field": "model"},
                        {"field": "x", "format": ".2%", "title": x[0]},
                        {"field": "y", "format": ".2%", "title": y[0]},
                    ],
                },
            },
        ]
    }


def _axis(field: str, title: str, domain: Sequence[float]) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": {"format": "%"},
        "scale": {"domain": list(domain), "nice": False},
    }
