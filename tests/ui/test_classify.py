"""The page Classify, run by Streamlit's own test runner against a real service."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ButtonGroup

import pawsight.ui
from pawsight.ui.pictures import Picture
from pawsight.ui.screens import classify
from pawsight.ui.screens.classify import A_PAGE
from pawsight.ui.service import Answer, Model, Service, Unavailable
from pawsight.ui.words import Outcome
from tests.pictures import bomb, picture, truncated_jpeg
from tests.running import Running

PAGE = Path(pawsight.ui.__file__).with_name("page.py")
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def page(service: Running, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PAWSIGHT_API_URL", service.url)
    return AppTest.from_file(str(PAGE), default_timeout=120).run()


def upload(page: AppTest, **files: bytes) -> AppTest:
    """Put files named ``a_jpg`` for ``a.jpg`` where the page takes them."""
    named = [(name.replace("_", "."), data, "image/jpeg") for name, data in files.items()]
    page.file_uploader[0].set_value(named)
    return page.run()


def said(page: AppTest) -> str:
    """All HTML of the page; nothing must have failed."""
    assert not page.exception
    return "\n".join(each.proto.body for each in page.get("html"))


def chooser(page: AppTest) -> ButtonGroup[str]:
    """What chooses the model."""
    return page.button_group(key="model")


def warnings(page: AppTest) -> list[str]:
    return [each.value for each in page.warning]


def test_a_page_without_pictures_asks_for_them(page: AppTest) -> None:
    assert "Cat, dog or neither?" in said(page)
    assert chooser(page).options == ["tiny", "second"]
    assert chooser(page).value == "tiny"
    assert not page.warning
    assert not page.get("download_button")


def test_a_picture_is_answered_in_a_sentence(page: AppTest) -> None:
    html = said(upload(page, tom_jpg=picture("red")))
    assert "This is a cat." in html
    assert 'aria-label="cat"' in html
    assert "answered by tiny" in html
    assert "data:image/webp" in html
    assert "Neither a cat nor a dog." in said(upload(page, dark_jpg=picture("black")))


def test_bad_files_are_told_why_and_the_others_are_answered(page: AppTest) -> None:
    upload(
        page,
        one_jpg=picture("red"),
        half_jpg=truncated_jpeg(),
        letter_txt=b"dear service",
        none_jpg=b"",
        bomb_png=bomb(),
        phone_heic=picture("blue", "HEIF"),
    )
    html = said(page)
    for words in (
        "This is a cat.",
        "Truncated: the JPEG ends before its picture does.",
        "Not an image: this looks like text.",
        "Not an image: the file is empty.",
        "Too large: 30000×30000 pixels, limit 52 million.",
        "This is a dog.",
    ):
        assert words in html
    assert page.markdown[0].value == "6 pictures: cat 1, dog 1, no answer 4"
    assert not page.warning


def test_another_model_answers_the_same_pictures(page: AppTest) -> None:
    upload(page, tom_jpg=picture("red"))
    chooser(page).set_value("second").run()
    assert "answered by second" in said(page)
    assert page.query_params["model"] == "second"
    chooser(page).set_value("tiny").run()
    assert "answered by tiny" in said(page)


def test_a_service_that_is_down_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSIGHT_API_URL", NOWHERE)
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    assert warnings(page) == [
        f"The service at {NOWHERE} does not answer. `pawsight serve` starts one."
    ]
    assert page.button(key="again").label == "Try again"
    upload(page, tom_jpg=picture("red"))
    assert len(page.warning) == 1
    assert "What is in the picture?" in said(page)


def test_a_service_gone_after_an_answer_leaves_it_on_the_page(
    page: AppTest, service: Running
) -> None:
    upload(page, one_jpg=picture("red"))
    service.stop()
    page.run()
    [words] = warnings(page)
    assert "does not answer" in words
    assert "This is a cat." in said(page)
    upload(page, two_jpg=picture("blue"))
    assert len(page.warning) == 1
    assert "Not asked yet." in said(page)


def test_a_service_gone_in_the_middle_is_said_and_asked_again(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Service.classify
    asked = 0

    def twice(service: Service, model: str, data: bytes) -> Answer:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise Unavailable("The service at here does not answer.")
        return whole(service, model, data)

    with monkeypatch.context() as patch:
        patch.setattr(Service, "classify", twice)
        upload(page, a_jpg=picture("red"), b_jpg=picture("blue"), c_jpg=picture("red"))
        assert warnings(page) == [
            "The service at here does not answer. It had answered 2 of 3 before."
        ]
        assert said(page).count("This is a cat.") == 1
        assert said(page).count("Not asked yet.") == 1
    page.button(key="again").click().run()
    assert not page.warning
    assert said(page).count("This is a cat.") == 2


def test_what_was_answered_is_not_asked_again(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, a_jpg=picture("red"))

    def never(*_: object) -> Answer:
        pytest.fail("asked again")

    monkeypatch.setattr(Service, "classify", never)
    page.run()
    assert "This is a cat." in said(page)


AWAY_AND_BACK = """
import streamlit as st
from pawsight.ui.pictures import put_away
from pawsight.ui.screens import classify
if st.session_state.get("elsewhere"):
    put_away("classify")
else:
    classify.show()
"""


def away_and_back(page: AppTest) -> AppTest:
    for elsewhere in (True, False):
        page.session_state["elsewhere"] = elsewhere
        page.run()
    return page


def test_pictures_and_answers_are_there_after_another_page(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_API_URL", service.url)
    page = AppTest.from_string(AWAY_AND_BACK, default_timeout=120).run()
    upload(page, a_jpg=picture("red"), b_jpg=picture("blue"))
    away_and_back(page)
    assert page.markdown[0].value == "2 pictures: cat 1, dog 1"
    chooser(page).set_value("second").run()
    assert "answered by second" in said(page)
    upload(page, c_jpg=picture("black"))
    assert page.markdown[0].value == "3 pictures: neither 1, cat 1, dog 1"
    page.button(key="classify-clear").click().run()
    assert page.markdown[0].value == "1 picture: neither 1"
    away_and_back(page).button(key="classify-clear").click().run()
    assert not page.get("download_button")


def test_of_more_pictures_than_fit_a_small_one_and_the_answer_are_kept(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_API_URL", service.url)
    latest = picture("blue", size=(900, 600))
    monkeypatch.setattr("pawsight.ui.pictures.MOST_BYTES", len(latest))
    page = AppTest.from_string(AWAY_AND_BACK, default_timeout=120).run()
    upload(page, a_jpg=picture("red", size=(900, 600)), b_jpg=latest)
    away_and_back(page)
    assert page.markdown[0].value == "2 pictures: cat 1, dog 1"
    assert said(page).count("data:image/webp") == 2
    assert [each.label for each in page.toggle] == ["Why?"]  # which needs the whole picture
    chooser(page).set_value("second").run()
    assert page.markdown[0].value == "2 pictures: dog 1, no answer 1"
    assert "Give it again." in said(page)
    monkeypatch.setattr("pawsight.ui.pictures.MOST", 1)
    assert away_and_back(page).markdown[0].value == "1 picture: dog 1"


def test_answers_can_be_taken_away(page: AppTest) -> None:
    upload(page, a_jpg=picture("red"), b_txt=b"text")
    buttons = page.get("download_button")
    assert [button.proto.label.split()[-1] for button in buttons] == ["CSV", "JSON"]


def test_more_than_a_page_of_pictures_are_turned_over_and_sorted_out(page: AppTest) -> None:
    reds = {f"red{number}_jpg": picture("red", size=(60 + number, 60)) for number in range(9)}
    blues = {f"blue{number}_jpg": picture("blue", size=(60 + number, 60)) for number in range(6)}
    upload(page, **reds, **blues)
    assert said(page).count("<h2>") == A_PAGE
    assert page.markdown[0].value == "15 pictures: cat 9, dog 6"
    page.button_group(key="only").set_value(["dog"]).run()
    assert said(page).count("This is a dog.") == 6
    assert "This is a cat." not in said(page)


def test_of_thousands_of_pictures_each_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [Picture(str(number), f"{number}.jpg", Path()) for number in range(3000)]
    shown: list[str] = []
    asked_about: list[str] = []

    def asked(model: Model, picture: Picture) -> tuple[str, str, str]:
        asked_about.append(picture.key)
        return picture.key, model.name, model.version

    class Bar:
        def progress(self, _: float, words: str) -> None:
            shown.append(words.split(":")[0])

        def empty(self) -> None:
            pass

    page = SimpleNamespace(session_state={}, progress=lambda _: Bar())
    monkeypatch.setattr(classify, "st", page)
    monkeypatch.setattr(classify, "_asked", asked)
    monkeypatch.setattr(classify, "ask", lambda _, __, picture: Outcome(picture.name))
    assert classify._answer_all(Model(name="tiny"), pictures) is None
    assert shown == [f"{number} of 3000" for number in range(1, 3001)]
    assert len(asked_about) < 10 * len(pictures)


def test_auto_comes_first_and_an_address_chooses(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_API_URL", service.url)
    monkeypatch.setattr("pawsight.ui.shell.FIRST", "second")
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    assert chooser(page).options == ["second", "tiny"]
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    page.query_params["model"] = "tiny"
    assert chooser(page.run()).value == "tiny"


CHOOSING = """
import streamlit as st
from pawsight.ui.shell import carry_choice, choose_model, known_models
carry_choice()
if not st.session_state.get("elsewhere"):
    choose_model(known_models()[0])
"""


def test_a_choice_holds_where_the_page_is_turned_as_soon_as_the_address_has_it(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_API_URL", service.url)
    page = AppTest.from_string(CHOOSING, default_timeout=120).run()

    def turned(_: object) -> NoReturn:
        """As Streamlit ends the run of a page that is left, where it next calls it."""
        raise StopException

    with monkeypatch.context() as patch:
        patch.setattr(QueryParams, "_send_query_param_msg", turned)
        chooser(page).set_value("second").run()
    page.query_params.clear()  # as a link to another page does
    page.session_state["elsewhere"] = True
    assert page.run().query_params["model"] == "second"


def test_what_did_not_reach_the_service_is_sent_by_the_same_button(
    page: AppTest, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(Service(service.url).decided(100))
    upload(page, tom_jpg=picture("red", size=(67, 50)))
    [right] = [key for each in page.button if (key := str(each.key)).startswith("right-")]

    def gone(*_: object) -> NoReturn:
        raise Unavailable("the service does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Service, "say", gone)
        page.button(key=right).click().run()
    words = "Not noted: the service does not answer. Press again to send it."
    assert words in [each.value for each in page.caption]
    page.button(key=right).click().run()
    captions = [each.value for each in page.caption]
    assert "Noted: cat. Thank you." in captions
    assert words not in captions
    assert len(Service(service.url).decided(100)) == before + 1


def test_feedback_goes_to_the_service_with_the_picture(page: AppTest, service: Running) -> None:
    upload(page, rex_jpg=picture("red", size=(77, 60)))
    [wrong] = [each for each in page.button if each.label == "dog"]
    wrong.click().run()
    assert "Noted: dog. Thank you." in [each.value for each in page.caption]
    [answer] = Service(service.url).decided(1)
    assert answer.feedback is not None
    assert (answer.label, answer.feedback.label, answer.picture) == ("cat", "dog", True)
