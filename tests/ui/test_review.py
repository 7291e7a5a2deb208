"""The page Review, run by Streamlit's own test runner against a real service."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from pawsight.records.pictures import digest_of
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.ui import decisions
from pawsight.ui.export import as_zip
from pawsight.ui.service import RecordedAnswer, ReviewItem, Service, Unavailable
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.running import running

Answers: TypeAlias = Sequence[tuple[RecordedAnswer, str]]
WILD_AND_TAME = ("bear", "cat", "dog", "lion", "wolf")
SCRIPT = "from pawsight.ui.screens import review; review.show()"
GUARDED = (
    "from pawsight.ui.shell import guarded\n"
    "from pawsight.ui.screens import review\n"
    "guarded(review.show)"
)


def page_of(url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PAWSIGHT_API_URL", url)
    return AppTest.from_string(SCRIPT, default_timeout=60)


def recorded(service: Service, *pictures: bytes, models: tuple[str, ...] = ("tiny",)) -> None:
    """Have pictures answered, and wait until they are in the queue."""
    for each in pictures:
        for model in models:
            service.classify(model, each)
    deadline = time.monotonic() + 30
    while len(service.to_review(100)) < len(pictures):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def captions(page: AppTest) -> list[str]:
    assert not page.exception
    return [each.value for each in page.caption]


def turned_to(page: AppTest, tab: str) -> AppTest:
    """Streamlit's test runner cannot click a tab."""
    page.session_state["review-tab"] = tab
    return page.run()


def decided_on_page(page: AppTest, key: str) -> AppTest:
    """Press a button of the queue, and see what was decided."""
    turned_to(page, "To look at").button(key=key).click().run()
    return turned_to(page, "Decided")


def saved(page: AppTest) -> bool:
    """Whether there is something to save, which Streamlit's test runner cannot click."""
    return bool(page.get("download_button"))


def export(page: AppTest) -> bool:
    """Have what was decided exported; whether there is something to save at the end."""
    page.button(key="export-now").click().run()
    deadline = time.monotonic() + 30
    while "The pictures are being put together." in captions(page):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        page.run()
    return saved(page)


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
        assert "2 to look at, 1 decided." in captions(page)
        [decided] = service.decided(10)
        assert decided.feedback is not None
        assert decided.feedback.label == "dog"
        page.button(key="skip").click().run()
        assert "1 to look at, 1 skipped, 1 decided." in captions(page)
        page.button(key="back").click().run()  # what was skipped is looked at again
        assert "2 to look at, 1 decided." in captions(page)
        page.button(key="skip").click().run()
        page.button(key="decide-neither").click().run()
        assert "Show the one that was skipped" in [each.label for each in page.button]
        page.button(key="back").click().run()
        page.button(key="decide-cat").click().run()
        said = {each.feedback.label for each in service.decided(10) if each.feedback}
        assert said == {"dog", "cat"}
        page = page_of(running_.url, monkeypatch).run()  # opened anew, nothing was skipped
        assert "1 to look at, 2 decided." in captions(page)


def test_one_goes_back_as_far_as_one_came(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(create_app(own)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), picture("blue"), picture("purple"))
        page = page_of(running_.url, monkeypatch).run()
        assert not [each for each in page.button if each.key == "back"]
        for _ in range(2):
            page.button(key="decide-dog").click().run()
        for _ in range(2):
            page.button(key="back").click().run()
        assert not [each for each in page.button if each.key == "back"]
        assert "This is the first one: there is nothing further back." in captions(page)
        page.button(key="decide-cat").click().run()
        said = [each.feedback.label for each in service.decided(10) if each.feedback]
        assert said == ["cat", "dog"]


def test_no_key_waits_for_the_lists(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    to_review, decided = Service.to_review, Service.decided

    def counted_to_review(self: Service, limit: int) -> list[ReviewItem]:
        listed.append("to review")
        return to_review(self, limit)

    def counted_decided(
        self: Service, limit: int, digest: str | None = None
    ) -> list[RecordedAnswer]:
        listed.extend([] if digest else ["decided"])
        return decided(self, limit, digest)

    with running(create_app(own)) as running_:
        colours = ("red", "blue", "purple", "green")
        recorded(Service(running_.url), *(picture(each) for each in colours))
        page = page_of(running_.url, monkeypatch).run()
        monkeypatch.setattr(Service, "to_review", counted_to_review)
        monkeypatch.setattr(Service, "decided", counted_decided)
        for key in ("decide-dog", "skip", "back", "decide-cat", "decide-neither"):
            page.button(key=key).click().run()
        assert "1 to look at, 3 decided." in captions(page)
        assert listed == []


def test_what_somebody_else_decides_is_not_looked_at_and_what_comes_meanwhile_is_not_lost(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), picture("blue"), picture("purple"))
        queue = service.to_review(10)
        page = page_of(running_.url, monkeypatch).run()
        again = service.classify("tiny", picture("blue"))  # of which the page does not know
        others = {item.answers[0].digest: item.answers[0].id for item in queue}
        others[digest_of(picture("blue"))] = again.id
        for item in queue[:2]:
            service.say(others[item.answers[0].digest], "cat")
        recorded(service, picture("purple"), picture("green"))
        page.button(key="skip").click().run()
        assert "1 to look at, 1 skipped, 1 decided." in captions(page)
        page.button(key="decide-dog").click().run()
        assert "1 to look at, 1 skipped, 3 decided." in captions(page)  # the one that came
        page.button(key="decide-neither").click().run()
        labels = {each.digest: each.feedback.label for each in service.decided(9) if each.feedback}
        last = queue[2].answers[0].digest
        first_two = [labels.pop(item.answers[0].digest) for item in queue[:2]]
        assert (first_two, labels.pop(last)) == (["cat", "cat"], "dog")
        assert list(labels.values()) == ["neither"]
        assert service.to_review(9) == []


def test_after_trouble_the_page_asks_what_there_is(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise Unavailable("the service is overloaded")

    with running(create_app(own)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), picture("blue"))
        monkeypatch.setenv("PAWSIGHT_API_URL", running_.url)
        page = AppTest.from_string(GUARDED, default_timeout=60).run()
        with monkeypatch.context() as patch:
            patch.setattr(Service, "say", gone)
            page.button(key="decide-dog").click().run()
        assert "Not noted: the service is overloaded." in captions(page)
        assert "2 to look at." in captions(page)
        with monkeypatch.context() as patch:
            patch.setattr(Service, "kept_picture", gone)
            page.button(key="skip").click().run()
            assert page.warning.values == ["The service is overloaded."]
        service.say(service.to_review(9)[1].answers[0].id, "cat")
        recorded(service, picture("purple"))
        deadline = time.monotonic() + 30
        while len(service.to_review(9)) < 2:
            assert time.monotonic() < deadline
        page.button(key="again").click().run()
        assert "1 to look at, 1 skipped, 1 decided." in captions(page)


def test_what_was_decided_is_exported(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anew, once something else is decided."""
    with running(create_app(own)) as running_:
        recorded(Service(running_.url), picture("red"), picture("blue"))
        page = page_of(running_.url, monkeypatch).run()
        decided_on_page(page, "decide-dog")
        assert export(page)
        assert not page.warning
        page.run()
        assert saved(page)
        decided_on_page(page, "decide-cat")
        assert not saved(page)
        assert export(page)


def test_an_export_goes_on_whatever_is_done_meanwhile(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def slow(answers: Answers, kept: Callable[[str], bytes]) -> tuple[bytes, int]:
        assert may_end.wait(60)
        return as_zip(answers, kept)

    monkeypatch.setattr(decisions, "as_zip", slow)
    with running(create_app(own)) as running_:
        recorded(Service(running_.url), picture("red"), picture("blue"))
        page = page_of(running_.url, monkeypatch).run()
        decided_on_page(page, "decide-dog")
        page.button(key="export-now").click().run()
        assert page.button(key="export-now").disabled
        decided_on_page(page, "skip")
        assert "The pictures are being put together." in captions(page)
        may_end.set()
        deadline = time.monotonic() + 30
        while not saved(page.run()):
            assert time.monotonic() < deadline


def test_what_an_export_leaves_out_is_said(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(answers: Answers, kept: Callable[[str], bytes]) -> tuple[bytes, int]:
        return as_zip(answers, kept, most=1)

    monkeypatch.setattr(decisions, "as_zip", small)
    with running(create_app(own)) as running_:
        recorded(Service(running_.url), picture("red"))
        page = page_of(running_.url, monkeypatch).run()
        decided_on_page(page, "decide-dog")
        assert export(page)
        [words] = [each.value for each in page.warning]
        assert words.startswith("1 picture more would be too large for the page.")
        assert "`pawsight feedback export`" in words


def test_an_export_that_fails_says_why_and_can_be_had_again(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own)) as running_:
        recorded(Service(running_.url), picture("red"))
        page = page_of(running_.url, monkeypatch).run()
        decided_on_page(page, "decide-dog")

        def gone(*_: object) -> bytes:
            raise Unavailable("the service is overloaded")

        with monkeypatch.context() as patch:
            patch.setattr(Service, "kept_picture", gone)
            assert not export(page)
        assert page.warning.values == ["Not exported: the service is overloaded."]
        assert export(page)
        assert not page.warning


def test_only_who_says_that_the_answer_is_wrong_has_it_noted_as_wrong(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), picture("blue"))
        page = page_of(running_.url, monkeypatch).run()
        page.button(key="skip").click().run()
        assert service.decided(10) == []
        wrong = page.button(key="decide-wrong")
        assert wrong.label == "Wrong, but I cannot say what it is"
        wrong.click().run()
        assert "Noted as wrong. Thank you." in captions(page)
        said = [each.feedback.label for each in service.decided(10) if each.feedback]
        assert said == ["wrong"]


def test_a_model_of_other_labels_does_not_disagree_and_its_labels_may_be_right(
    own: Settings, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = make_model_folder(tmp_path / "wild", labels=("lion", "wolf", "bear"))
    both = own.model_copy(update={"serve_models": (str(tiny), str(wild))})
    with running(create_app(both)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), models=("tiny", "wild"))
        page = page_of(running_.url, monkeypatch).run()
        html = "\n".join(each.proto.body for each in page.get("html"))
        assert "disagree:" not in html
        assert "tiny says a cat." in html
        assert "wild says a lion." in html
        keys = [str(each.key) for each in page.button]
        labels = [each for each in keys if each.startswith("decide-")]
        assert sorted(labels[:5]) == [f"decide-{each}" for each in WILD_AND_TAME]
        assert labels[5:] == ["decide-neither", "decide-wrong"]
        page.button(key="decide-wolf").click().run()
        [said] = service.decided(10)
        assert said.feedback is not None
        assert (said.model.name, said.feedback.label) == ("wild", "wolf")


def test_where_models_know_other_labels_those_that_are_looked_at_can_be_chosen(
    own: Settings, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild_labels = ("lion", "wolf", "bear")
    wild = make_model_folder(tmp_path / "wild", labels=wild_labels)
    both = own.model_copy(update={"serve_models": (str(tiny), str(wild))})
    with running(create_app(both)) as running_:
        service = Service(running_.url)
        recorded(service, picture("red"), models=("tiny", "wild"))
        recorded(service, picture("red"), picture("blue"))
        page = page_of(running_.url, monkeypatch).run()
        assert "2 to look at." in captions(page)
        chosen = page.selectbox(key="review-about")
        assert chosen.options == ["cat, dog", "bear, lion, wolf"]
        chosen.set_value(frozenset(wild_labels)).run()
        assert "1 to look at." in captions(page)
        assert "decide-wolf" in [each.key for each in page.button]
        assert "decide-cat" not in [each.key for each in page.button]
        turned_to(page, "Decided")
        assert "2 to look at." in captions(turned_to(page, "To look at"))
        page.selectbox(key="review-about").set_value(frozenset(wild_labels)).run()
        page.button(key="decide-wolf").click().run()
        assert "Nothing is left to look at" in page.info[0].value
        page.selectbox(key="review-about").set_value(None).run()
        assert "1 to look at, 1 decided." in captions(page)


def test_of_many_labels_the_likeliest_have_buttons_and_the_others_stand_in_a_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[dict[str, str]] = []
    model = {"name": "breeds", "version": "1", "source": "local"}
    answer = {
        "id": "1", "label": "breed-19", "confidence": 0.1, "score": 1.0, "model": model,
        "decided_by": model, "time": "2026-01-01T00:00:00Z", "digest": "d", "milliseconds": 1.0,
        "margin": 0.1, "picture": True,
        "probabilities": {f"breed-{number}": number / 190 for number in range(20)},
    }  # fmt: skip

    def answers(request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "GET", "/feedback/queue":
                return httpx.Response(
                    200, json={"pictures": [{"answers": [answer], "disagree": False}]}
                )
            case "GET", "/models":
                return httpx.Response(200, json={"models": [{"name": "breeds"}]})
            case "GET", "/feedback":
                there = [] if "digest" in request.url.params else [{**answer, "feedback": later}]
                return httpx.Response(200, json={"answers": there})
            case "GET", "/records/1/picture":
                return httpx.Response(200, content=picture("red"))
        said.append(json.loads(request.read()))
        return httpx.Response(200, json={**said[-1], "time": answer["time"], "picture": True})

    later = {"id": "1", "label": "breed-3", "time": "2026-02-03T04:05:00Z", "picture": True}
    asked = Service("http://pawsight.test", httpx.MockTransport(answers))
    monkeypatch.setattr("pawsight.ui.screens.review.service", lambda: asked)
    page = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not page.exception
    keys = [str(each.key) for each in page.button if str(each.key).startswith("decide-")]
    shown = [*(f"breed-{number}" for number in range(14, 20)), "neither", "wrong"]
    assert keys == [f"decide-{label}" for label in shown]
    [others] = page.selectbox
    assert others.options == [f"breed-{number}" for number in range(14)]
    others.select("breed-3").run()
    assert [(each["id"], each["label"]) for each in said] == [("1", "breed-3")]
    turned_to(page, "Decided")
    html = "\n".join(each.proto.body for each in page.get("html"))
    assert "2026-02-03 04:05" in html  # when it was decided, not when it was answered
    assert "2026-01-01" not in html


def test_beside_neither_no_figure_says_how_sure_the_model_is(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(create_app(own)) as running_:
        recorded(Service(running_.url), picture("black"))
        page = page_of(running_.url, monkeypatch).run()
        html = "\n".join(each.proto.body for each in page.get("html"))
        assert "neither: nothing that it knows" in html
        assert "%" not in re.sub("<(img|style).*?>", "", html)
        assert "margin" not in html


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
        page = AppTest.from_string(GUARDED, default_timeout=60).run()
        assert not page.exception
        assert ["nothing is recorded here" in each.value.lower() for each in page.warning] == [True]
