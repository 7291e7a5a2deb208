"""The page Compare, run by Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.running import Running, running
from tests.ui.test_classify import NOWHERE, said, upload, warnings

SCRIPT = "from pawsight.ui.screens import compare; compare.show()"


def page_of(url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PAWSIGHT_API_URL", url)
    return AppTest.from_string(SCRIPT, default_timeout=60)


def test_a_service_that_is_gone_is_said_before_a_picture_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = page_of(NOWHERE, monkeypatch).run()
    assert warnings(page) == [
        f"The service at {NOWHERE} does not answer. `pawsight serve` starts one."
    ]
    assert page.button(key="again").label == "Try again"
    upload(page, tom_jpg=picture("red"))
    assert len(page.warning) == 1


def test_a_service_gone_after_an_answer_leaves_it_on_the_page(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = upload(page_of(service.url, monkeypatch).run(), tom_jpg=picture("red"))
    assert [each.value for each in page.subheader] == ["Both models say a cat."]
    service.stop()
    page.run()
    assert len(page.warning) == 1
    assert said(page).count("This is a cat.") == 2


def test_the_model_of_the_address_stands_first_and_one_of_other_labels_agrees_with_none(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = make_model_folder(tmp_path / "wild", labels=("lion", "wolf", "bear"))
    three = settings.model_copy(update={"serve_models": (*settings.serve_models, str(wild))})
    with running(create_app(three)) as service:
        page = page_of(service.url, monkeypatch)
        page.query_params["model"] = "second"
        upload(page.run(), tom_jpg=picture("red"))
        words = "second and tiny say a cat. wild says a lion."
        assert [each.value for each in page.subheader] == [words]
        html = said(page)
        assert html.index(">second</p>") < html.index(">tiny</p>") < html.index(">wild</p>")


def test_a_model_that_has_come_since_is_asked_about_the_same_picture(
    settings: Settings, service: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = upload(page_of(service.url, monkeypatch).run(), tom_jpg=picture("red"))
    assert [each.value for each in page.subheader] == ["Both models say a cat."]
    service.stop()
    third = make_model_folder(tmp_path / "third", strength=2.0)
    three = settings.model_copy(update={"serve_models": (*settings.serve_models, str(third))})
    with running(create_app(three), port=service.port):
        page.run()
    assert [each.value for each in page.subheader] == ["All 3 models say a cat."]
