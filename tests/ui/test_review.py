"""The page Review, run by Streamlit's own test runner against a real service."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.ui.service import Service
from tests.pictures import picture
from tests.running import running

SCRIPT = "from pawsight.ui.screens import review; review.show()"


def page_of(url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PAWSIGHT_API_URL", url)
    return AppTest.from_string(SCRIPT, default_timeout=60)


def recorded(service: Service, *pictures: bytes) -> None:
    """Have pictures answered, and wait until they are in the queue."""
    for each in pictures:
        service.classify("tiny", each)
    deadline = time.monotonic() + 30
    while len(service.to_review(100)) < len(pictures):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def captions(page: AppTest) -> list[str]:
    assert not page.exception
    return [each.value for each in page.caption]


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """A record of its own."""
    return settings.model_copy(
        update={"records": f"sqlite:///{tmp_path}/r.db", "keep_pictures": "all"}
    )


def test_one_after_another_is_decided_and_taken_back(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), picture("blue"), picture("purple"))
        page = page_of(running_.url, monkeypatch).run()
        assert "3 to look at." in captions(page)
        page.button(key="decide-dog").click().run()
        assert "2 to look at." in captions(page)
        [decided] = service.decided(10)
        assert decided.feedback is not None
        assert decided.feedback.label == "dog"
        page.button(key="skip").click().run()
        assert "1 to look at." in captions(page)
        page.button(key="decide-neither").click().run()
        assert "Show the one that was skipped" in [each.label for each in page.button]
        page.button(key="back").click().run()
        page.button(key="decide-cat").click().run()
        said = {each.feedback.label for each in service.decided(10) if each.feedback}
        assert said == {"dog", "cat"}


def test_pictures_that_are_not_kept_are_said(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_kept = own.model_copy(update={"keep_pictures": "feedback"})
    with running(create_app(nothing_kept)) as running_:
        recorded(Service(running_.url), picture("red"))
        page = page_of(running_.url, monkeypatch).run()
        [words] = [each.value for each in page.info if "PAWSIGHT_KEEP" in each.value]
        assert words.startswith("1 answer waits")


def test_a_service_that_records_nothing_is_said(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own.model_copy(update={"records": "off"}))) as running_:
        monkeypatch.setenv("PAWSIGHT_API_URL", running_.url)
        script = (
            "from pawsight.ui.shell import guarded\n"
            "from pawsight.ui.screens import review\n"
            "guarded(review.show)"
        )
        page = AppTest.from_string(script, default_timeout=60).run()
        assert not page.exception
        assert ["nothing is recorded here" in each.value.lower() for each in page.warning] == [True]
