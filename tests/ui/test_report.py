"""The report as the page reads it, and what it draws of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pawsight.ui import charts
from pawsight.ui.report import EMBEDDED, Counts, NoReport, Report, read, standing

COUNTS = Counts(
    positives=4,
    negatives=10,
    thresholds=[0, 0.25, 0.5, 0.75],
    true=[4, 4, 3, 1],
    false=[10, 5, 2, 0],
)


def with_any(**wrong: Any) -> bytes:
    """A report of one model, whose counts are not as they should be."""
    curves = {"any": {**COUNTS.model_dump(), **wrong}}
    report = {"data": "x", "pictures": 1, "models": [{"model": "one", "curves": curves}]}
    return json.dumps(report).encode()


def test_a_threshold_counts_what_reaches_it() -> None:
    assert COUNTS.at(0.0) == (4, 10)
    assert COUNTS.at(0.5) == (3, 2)
    assert COUNTS.at(0.6) == (1, 0)
    assert COUNTS.at(0.9) == (0, 0)


def test_no_more_is_lost_than_may_be() -> None:
    assert COUNTS.losing(0.0) == (4, 5)
    assert COUNTS.losing(0.12) == (4, 5)  # half a picture is none
    assert COUNTS.losing(0.25) == (3, 2)
    assert COUNTS.losing(1.0) == (1, 0)


def test_the_embedded_report_carries_figures_and_no_pictures() -> None:
    report = read(EMBEDDED.read_bytes(), EMBEDDED.name)
    assert {each.model for each in report.models} == {"auto", "custom", "pretrained"}
    for each in report.models:
        assert each.curves.classes.keys() == {"cat", "dog"}
        assert each.curves.any
        cats = each.curves.classes["cat"]
        true, false = cats.at(0.5)
        assert (true + cats.negatives - false) / (cats.positives + cats.negatives) == pytest.approx(
            each.accuracy, abs=1e-5
        )
        assert not each.mistakes
    assert b"data:image" not in EMBEDDED.read_bytes()
    assert b'"path"' not in EMBEDDED.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not json", "is no report of an evaluation"),
        (b"{}", "data: is missing"),
        (b'{"data": "x", "pictures": 0, "models": []}', "a report of no models"),
        (
            b'{"data": "x", "pictures": 1, "models": [{"accuracy": 1}]}',
            "models.0.model: is missing",
        ),
        (with_any(negatives=0), "models.0.curves.any.negatives: must be 1 or more"),
        (with_any(true=[1]), "models.0.curves.any: must have a number in `true`"),
    ],
)
def test_what_is_no_report_is_said(data: bytes, words: str) -> None:
    with pytest.raises(NoReport, match=words):
        read(data, "x.json")


def test_a_report_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSIGHT_REPORT", "/nowhere/report.json")
    with pytest.raises(NoReport, match=r"names '/nowhere/report\.json': No such file"):
        standing()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"left_out_as_seen_in_training": {"a": 3, "b": 0}}, "None of the models learned from any"),
        ({"measured_though_seen_in_training": {"a": 3, "b": 0}}, "a learned from 3 of them."),
        (
            {"measured_though_seen_in_training": {"a": 3, "b": None}},
            "a learned from 3 of them. What b learned from is not known.",
        ),
        ({"left_out_as_seen_in_training": {"a": 3, "b": None}}, "What b learned from is not known"),
        ({}, "What a and b learned from is not known."),
    ],
)
def test_what_the_models_learned_from_is_said(said: dict[str, Any], words: str) -> None:
    report = {"data": "x", "pictures": 9, "models": [{"model": "a"}, {"model": "b"}], **said}
    assert words in read(json.dumps(report).encode(), "r.json").trained_on


def test_points_lie_where_the_threshold_is() -> None:
    [_, points] = charts.roc({"one": COUNTS}, 0.5, corner=False)["layer"]
    assert points["data"]["values"] == [{"model": "one", "x": 0.2, "y": 0.75}]
    [_, points] = charts.precision_recall({"one": COUNTS}, 0.5, corner=True)["layer"]
    assert points["data"]["values"] == [{"model": "one", "x": 0.75, "y": 0.6}]
    assert points["encoding"]["x"]["scale"]["domain"] == [0.9, 1]
    [_, points] = charts.rejection({"one": COUNTS}, 0.25, 0.1)["layer"]
    assert points["data"]["values"] == [{"model": "one", "x": 0.25, "y": 0.8}]


@pytest.mark.parametrize("model", ["auto", "custom", "pretrained"])
def test_what_a_share_costs_is_what_the_models_in_use_do(model: str) -> None:
    """At the share that a model loses, its curve is where the model is, but for three pictures.

    There the threshold is the highest that loses no more.
    """
    [found] = [each for each in standing().models if each.model == model]
    assert found.curves.any
    assert found.loses is not None
    _, false = found.curves.any.losing(found.loses)
    negatives = found.curves.any.negatives
    assert found.catches is not None
    assert abs(negatives - false - found.catches * negatives) < 3.01


def insights() -> AppTest:
    script = "from pawsight.ui.screens import insights; insights.show()"
    return AppTest.from_string(script, default_timeout=60)


def html(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(each.proto.body for each in page.get("html"))


def mistake(label: str, answer: str, confidence: float) -> dict[str, Any]:
    picture = "data:image/jpeg;base64,AA=="
    named = {"path": f"{label}.jpg", "label": label, "answer": answer, "thumbnail": picture}
    return {**named, "confidence": confidence, "score": 1.0}


def test_the_gallery_is_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "data": "mine",
        "pictures": 3,
        "models": [
            {
                "model": "mine",
                "mistakes": {
                    "the wrong class": [mistake("cat", "dog", 0.9), mistake("dog", "cat", 0.6)],
                    "neither, called one of the classes": [mistake("neither", "cat", 0.7)],
                },
            }
        ],
    }
    report = Report.model_validate(made)
    monkeypatch.setattr("pawsight.ui.screens.insights.standing", lambda: report)
    page = insights().run()
    assert html(page).count("<figure>") == 3
    page.button_group(key="mistakes-sort").set_value(["the wrong class"]).run()
    assert html(page).count("<figure>") == 2
    page.button_group(key="mistakes-label").set_value(["dog"]).run()
    assert html(page).count("<figure>") == 1
    page.slider(key="mistakes-sure").set_value(80).run()
    assert "0 of 3 shown" in [each.value for each in page.caption]


def test_the_gallery_shows_the_model_of_the_address_and_has_the_address_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = [
        {"model": name, "mistakes": {"the wrong class": [mistake(f"{name}-cat", "dog", 0.9)]}}
        for name in ("auto", "custom")
    ]
    report = Report.model_validate({"data": "mine", "pictures": 3, "models": models})
    monkeypatch.setattr("pawsight.ui.screens.insights.standing", lambda: report)
    page = insights()
    page.query_params["model"] = "custom"
    page.run()
    assert "custom-cat" in html(page)
    page.button_group(key="mistakes-of").set_value("auto").run()
    assert "auto-cat" in html(page)
    assert page.query_params["model"] == "auto"


def test_a_report_of_ones_own_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    page = insights().run()
    made = {"data": "my own", "pictures": 1234, "models": [{"model": "mine", "accuracy": 0.5}]}
    page.file_uploader[0].set_value(("r.json", json.dumps(made).encode(), "application/json")).run()
    captions = [each.value for each in page.caption]
    assert "1,234 pictures: my own. What mine learned from is not known." in captions
    assert "50.00%" in html(page)
    page.file_uploader[0].set_value(("r.json", b"{}", "application/json")).run()
    assert [each.value.startswith("“r.json” is no report") for each in page.warning] == [True]
