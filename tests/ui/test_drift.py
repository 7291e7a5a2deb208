from __future__ import annotations

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from pawsight.ui.service import Service

DRIFTED = {
    "model": "custom",
    "network": "custom",
    "drifted": True,
    "message": "it sees something else",
    "pictures": 7,
    "windows": 1,
    "time": "2026-01-01T12:00:00Z",
    "features_p": 1e-9,
    "confidence_psi": 0.31,
    "label_psi": 0.02,
}
WAITING = {"model": "mine", "network": "mine", "drifted": None, "message": "7 of 200 have come"}
SCRIPT = "from pawsight.ui.drift import drift_panel; from pawsight.ui.shell import service; "


def panel(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> AppTest:
    service = Service("http://pawsight.test", httpx.MockTransport(lambda _: answer))
    monkeypatch.setattr("pawsight.ui.shell.service", lambda: service)
    page = AppTest.from_string(SCRIPT + "drift_panel(service())", default_timeout=60).run()
    assert not page.exception
    return page


def test_what_has_changed_is_said_for_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"window": 200, "level": 0.01, "models": [DRIFTED, WAITING]}
    page = panel(monkeypatch, httpx.Response(200, json=told))
    words, figures = [each.proto.body for each in page.get("html")]
    for said in ("changed", "something else", "differs a lot", "alike", "7 of 200"):
        assert f">{said}</td>" in words
    assert [each.value for each in page.caption[:2]] == [
        "custom: it sees something else (2026-01-01 12:00 UTC).",
        "mine: 7 of 200 have come.",
    ]
    # Terms are no part of the words: they stand with their figures, and are explained there.
    for term in ("p =", "PSI"):
        assert term not in words
    [folded] = page.expander
    assert not folded.proto.expanded
    for figure in ("1e-09", "0.31", "0.02"):
        assert f">{figure}</td>" in figures
    assert "population stability index" in folded.caption[0].value
    assert "What it sees" in page.subheader[0].proto.help


def test_a_service_that_cannot_say_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    page = panel(monkeypatch, httpx.Response(404, json={"detail": "nothing at /drift"}))
    assert [each.value for each in page.caption] == ["Nothing at /drift."]
