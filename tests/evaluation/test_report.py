from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pawsight.evaluation.evaluate import Evaluation
from pawsight.evaluation.page import render_page
from pawsight.evaluation.report import Report, Shown
from pawsight.evaluation.summary import summary
from pawsight.inference.prediction import ModelReference, energy, softmax


def evaluation(name: str, logits: Sequence[Sequence[float]], labels: list[int]) -> Evaluation:
    values = np.array(logits, dtype=np.float32)
    return Evaluation(
        model=ModelReference(name, "0123456789ab", "local"),
        data="six pictures",
        classes=("cat", "dog"),
        labels=np.array(labels),
        probabilities=softmax(values),
        scores=energy(values),
        threshold=0.0,
        members=(name,),
        deciders=np.zeros(len(labels), dtype=np.intp),
        seconds=0.6,
    )


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Two cats, two dogs, two of neither, wide and tall; ``good`` is right, ``bad`` errs."""
    paths = []
    for number in range(6):
        file = tmp_path / ("web" if number % 2 else "album") / f"<b>{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.effect_noise((60, 30) if number < 3 else (30, 60), 50).convert("RGB").save(file)
        paths.append(str(file))
    labels = [0, 0, 1, 1, -1, -1]
    names = ["cat", "cat", "dog", "dog", "neither", "neither"]
    good = [[5, -5], [5, -5], [-5, 5], [-5, 5], [-5, -6], [-5, -6]]
    bad = [[-2, 3], [-4, -4], [-5, 5], [-5, 5], [6, -6], [-5, -6]]
    return Report(
        "six pictures",
        pd.DataFrame({"path": paths, "label": names}),
        [evaluation("good", good, labels), evaluation("bad", bad, labels)],
        [1_500_000, 2_000_000],
        {"good": 3, "bad": None},
    )


def test_models_stand_side_by_side(report: Report) -> None:
    good, bad = report.as_dict()["models"]
    assert (good["accuracy"], good["loses"], good["catches"], good["auroc"]) == (1, 0, 1, 1)
    assert (bad["accuracy"], bad["loses"], bad["catches"]) == (0.75, 0.25, 0.5)
    assert good["confusion"]["neither"] == {"cat": 0, "dog": 0, "neither": 2}
    [pair] = report.comparisons()
    assert (pair.only_one, pair.only_other) == (1, 0)
    assert good["milliseconds_a_picture"] == 100
    assert bad["megabytes"] == 2


def test_pictures_are_counted_apart_by_folder_and_by_shape(report: Report) -> None:
    groups = {group["name"]: group for group in report.as_dict()["models"][1]["groups"]}
    assert groups["album"]["accuracy"] == 0.5
    assert groups["web"]["accuracy"] == 1.0
    assert groups["landscape"]["pictures"] == 3
    assert groups["portrait"]["catches"] == 0.5


def test_a_column_of_kinds_counts_before_the_folders(report: Report) -> None:
    frame = report.frame.assign(kind=["kitten", *["grown"] * 5])
    named = Report(report.data, frame, report.evaluations, report.sizes)
    assert {group.name for group in named.groups if group.sort == "kind"} == {"kitten", "grown"}


def test_the_worst_mistakes_come_first(report: Report) -> None:
    mistakes = report.mistakes(report.evaluations[1])
    assert [each.answer for each in mistakes["the wrong class"]] == ["dog"]
    [lost] = mistakes["one of the classes, called neither"]
    assert (lost.label, lost.answer) == ("cat", "neither")
    [missed] = mistakes["neither, called one of the classes"]
    assert (missed.label, missed.answer) == ("neither", "cat")
    assert missed.confidence > 0.99
    assert report.mistakes(report.evaluations[0]) == {}


def test_the_page_needs_nothing_beside_it(report: Report) -> None:
    page = render_page(report)
    assert page.count("data:image/jpeg;base64,") == 3
    assert page.count("<svg") == 5
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "<b>0.png" not in page  # names of files are escaped
    assert "&lt;b&gt;0.png" in page
    assert "3 pictures were left out, because good was trained on them" in page
    one = replace(report, seen={"good": 1}, parents={"good": "old 12ab"})
    words = "1 picture was left out, because good, or old 12ab whose network it has, was trained"
    assert words in render_page(one)
    words = "1 picture is left out: good, or old 12ab whose network it has, was trained on it"
    assert words in summary(one)
    kept = replace(one, keeps_seen=True)
    assert "1 picture was measured all the same, though good, or" in render_page(kept)
    assert "1 picture is measured all the same: good, or" in summary(kept)
    assert kept.as_dict()["measured_though_seen_in_training"] == {"good": 1}
    assert "What bad was trained on is not known" in page


def test_the_figures_are_json_and_the_summary_says_the_same(report: Report) -> None:
    assert json.loads(json.dumps(report.as_dict()))["pictures"] == 6
    assert "sent on" not in summary(report)
    text = summary(report)
    assert "accuracy  75.00%" in text
    assert "good alone is right about 1, bad alone about 0" in text


def test_a_cascade_says_what_it_sent_on(report: Report) -> None:
    cascade = replace(
        report.evaluations[0],
        members=("small", "large"),
        deciders=np.array([0, 0, 1, 0, 1, 1]),
    )
    figures = Report("x", report.frame, [cascade], [1]).as_dict()["models"][0]
    assert figures["sent_on"] == 0.5
    assert figures["decided"] == {"small": 0.5, "large": 0.5}
    groups = {group["name"]: group["sent_on"] for group in figures["groups"]}
    assert groups["landscape"] == pytest.approx(1 / 3, abs=1e-5)
    text = summary(Report("x", report.frame, [cascade], [1]))
    assert "named by  50.0% small, 50.0% large" in text


def test_pictures_of_neither_alone_make_a_report(report: Report) -> None:
    rows = np.array([False] * 4 + [True] * 2)
    only = Report(
        "neither", report.frame[4:], [each.of(rows) for each in report.evaluations], [1, 1]
    )
    assert "Curves" in render_page(only)
    assert only.as_dict()["models"][0]["accuracy"] is None


def test_names_are_shown_as_they_are(report: Report) -> None:
    named = [evaluation(name, [[1, 0]] * 6, [0, 0, 1, 1, -1, -1]) for name in ("_hidden", r"c$\q$")]
    page = render_page(Report("x", report.frame, named, [1, 1]))
    assert page.count("_hidden, AUROC") == 1
    assert r"c$\q$, AUROC" in page


@pytest.mark.parametrize("how", ["none", "paths", "pictures"])
def test_mistakes_are_told_as_far_as_asked(report: Report, how: Shown) -> None:
    told = report.as_dict(how)["models"][1]["mistakes"]
    if how == "none":
        assert told == {}
        return
    worst = told["the wrong class"][0]
    assert worst["path"].endswith("0.png")
    assert ("/" in worst["path"]) == (how == "paths")
    assert worst.get("thumbnail", "").startswith("data:image/jpeg") == (how == "pictures")
