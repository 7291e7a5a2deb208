"""The page About beside a service that tells of a network and of a cascade."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from pawsight.ui.service import Service

SCRIPT = "from pawsight.ui.screens import about; about.show()"
CASCADE = {"fast": {"name": "custom"}, "strong": {"name": "pretrained"}}


@pytest.mark.parametrize(
    ("threshold", "card", "said"),
    [
        (0.0, CASCADE, "that of whoever was asked (custom alone, or both), from"),
        (1.234, {}, "1.23"),
        (None, CASCADE, None),
    ],
)
def test_it_says_below_which_score_a_picture_is_neither(
    monkeypatch: pytest.MonkeyPatch, threshold: float | None, card: dict[str, Any], said: str | None
) -> None:
    model = {"name": "auto", "threshold": threshold, "card": card}

    def answers(request: httpx.Request) -> httpx.Response:
        found = {"/models": {"models": [model]}, "/health/ready": {"status": "ready"}}
        return httpx.Response(200, json=found.get(request.url.path, model))

    service = Service("http://pawsight.test", httpx.MockTransport(answers))
    for where in ("screens.about", "shell"):
        monkeypatch.setattr(f"pawsight.ui.{where}.service", lambda: service)
    page = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not page.exception
    html = "\n".join(each.proto.body for each in page.get("html"))
    if said is None:
        assert "neither below a score of" not in html
    else:
        assert f"<dt>neither below a score of</dt><dd>{said}" in html
