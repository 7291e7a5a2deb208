"""The page in a real browser, beside a real service."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

import pawsight
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.ui.service import Service
from tests.pictures import picture, truncated_jpeg
from tests.running import Running, running
from tests.serving.test_training import control
from tests.ui.browsing import (
    PHONE,
    WIDE,
    check,
    downloaded,
    file,
    give,
    opened,
    page_asking,
    settled,
)
from tests.zips import drawn_files, zipped

__all__ = ["control"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_in_sentences_out(
    browser: Browser, site: str, screenshots: Path, scheme: str
) -> None:
    with opened(browser, site, scheme=scheme) as page:
        expect(page.get_by_role("heading", name="Cat, dog or neither?")).to_be_visible()
        check(page, screenshots, f"empty-{scheme}")
        give(page, file("tom.jpg", picture("red")))
        expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
        expect(page.get_by_role("meter", name="cat")).to_be_visible()
        expect(page.get_by_role("img", name="tom.jpg")).to_be_visible()
        check(page, screenshots, f"one-{scheme}")
        give(
            page,
            file("rex.heic", picture("blue", "HEIF")),
            file("toaster.png", picture("black", "PNG")),
            file("half.jpg", truncated_jpeg()),
        )
        words = "4 pictures: cat 1, dog 1, neither 1, no answer 1"
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("heading", name="Neither a cat nor a dog.")).to_be_visible()
        expect(page.get_by_text("Truncated: the JPEG ends before its picture")).to_be_visible()
        check(page, screenshots, f"many-{scheme}")
        with page.expect_download() as table:
            page.get_by_role("button", name="CSV").click()
        assert "tom.jpg,cat," in table.value.path().read_text(encoding="utf-8")
        with page.expect_download() as records:
            page.get_by_role("button", name="JSON").click()
        answers = json.loads(records.value.path().read_text(encoding="utf-8"))
        assert [each.get("label") for each in answers] == ["cat", "dog", "neither", None]


def test_many_files_are_sent_a_few_at_a_time(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        held: list[Route] = []
        held_back = True

        def asked(route: Route) -> None:
            if held_back:
                held.append(route)
            else:
                route.continue_()

        page.route("**/_stcore/upload_file/**", asked)
        give(page, *(file(f"{number}.txt", b"no picture") for number in range(40)))
        settled(page)
        assert len(held) == 32
        held_back = False
        for each in held:
            each.continue_()
        expect(page.get_by_text("40 pictures: no answer 40")).to_be_visible()


def test_why_is_an_overlay_with_a_slider(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        give(page, file("tom.jpg", picture("red")))
        page.get_by_text("Why?").click()
        expect(page.get_by_text("Red spoke for cat, blue against it.")).to_be_visible()
        overlay = page.get_by_role("img", name="Where tom.jpg spoke for the answer")
        expect(overlay).to_have_css("opacity", "0.7")
        slider = page.get_by_role("slider", name="Overlay")
        slider.press("Home")
        expect(overlay).to_have_css("opacity", "0")
        slider.press("ArrowRight")
        expect(overlay).to_have_css("opacity", "0.01")


def test_what_is_wrong_can_be_said_by_keyboard(
    browser: Browser, site: str, standing: Running
) -> None:
    with opened(browser, site) as page:
        give(page, file("rex.jpg", picture("red", size=(161, 120))))
        page.get_by_role("button", name="Wrong").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="dog", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Noted: dog. Thank you.")).to_be_visible()
        expect(page.get_by_text("What would be right?")).to_have_count(0)
        page.get_by_role("button", name="Wrong").click()
        expect(page.get_by_text("What would be right?")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Right").click()
        expect(page.get_by_text("Noted: cat. Thank you.")).to_be_visible()


def test_on_a_phone_what_can_be_taken_along_stands_in_one_row(browser: Browser, site: str) -> None:
    with opened(browser, site, size=PHONE) as page:
        give(
            page,
            file("tom.jpg", picture("red")),
            file("rex.jpg", picture("blue")),
            file("half.jpg", truncated_jpeg()),
        )
        expect(page.get_by_text("3 pictures: cat 1, dog 1, no answer 1")).to_be_visible()
        boxes = []
        for name in ("CSV", "JSON"):
            button = page.get_by_role("button", name=name)
            expect(button).to_be_visible()
            settled(page)
            boxes.append(button.bounding_box())
        assert boxes[0]
        assert boxes[1]
        assert boxes[0]["y"] == boxes[1]["y"]
        assert boxes[1]["x"] + boxes[1]["width"] <= PHONE[0]


def test_pictures_are_pasted_taken_and_borrowed(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        data = base64.b64encode(picture("blue")).decode()
        settled(page)
        page.evaluate(
            """data => {
                const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
                const clipboardData = new DataTransfer();
                clipboardData.items.add(new File([bytes], "clip.jpg", {type: "image/jpeg"}));
                const bubbles = true;
                document.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles}));
            }""",
            data,
        )
        expect(page.get_by_role("heading", name="This is a dog.")).to_be_visible()
        page.get_by_role("button", name="Camera").click()
        page.wait_for_function("document.querySelector('video')?.readyState >= 2")
        page.get_by_role("button", name="Take Photo").click()
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_text("2 pictures:")).to_be_visible()
        expect(page.get_by_text("camera.jpg")).to_be_visible()
    with opened(browser, site) as page:
        page.get_by_role("button", name="Try the examples").click()
        expect(page.get_by_text("3 pictures:")).to_be_visible()
        expect(page.get_by_text("Chelsea, by Stéfan van der Walt (CC0)")).to_be_visible()


def test_an_address_keeps_the_choice(browser: Browser, site: str) -> None:
    with opened(browser, f"{site}/?model=second") as page:
        give(page, file("tom.jpg", picture("red")))
        expect(page.get_by_text("answered by second")).to_be_visible()
        page.get_by_role("link", name="About").click()
        expect(page.get_by_role("heading", name="second")).to_be_visible()
        for name in ("Compare", "Insights", "Review", "Train"):
            page.get_by_role("link", name=name).click()
            page.wait_for_url(f"**/{name.lower()}?model=second")
        page.get_by_role("link", name="Classify").click()
        page.wait_for_url("**/?model=second")
        expect(page.get_by_text("1 picture: cat 1")).to_be_visible()  # it has stayed
        expect(page.get_by_text("answered by second")).to_be_visible()
        expect(page.get_by_role("radio", name="second")).to_be_checked()
        page.get_by_role("link", name="About").click()
        expect(page.get_by_role("heading", name="second")).to_be_visible()  # Classify has them too
        page.get_by_role("radio", name="tiny").click()
        expect(page.get_by_role("heading", name="tiny")).to_be_visible()
        page.wait_for_url("**/about?model=tiny")
        page.get_by_role("radio", name="second").click()
        page.wait_for_url("**/about?model=second")
        page.get_by_role("link", name="Classify").click()
        expect(page.get_by_role("radio", name="second")).to_be_checked()
        expect(page.get_by_text("answered by second")).to_be_visible()
    with opened(browser, f"{site}/compare?model=second") as page:
        page.get_by_role("link", name="Classify").click()
        expect(page.get_by_role("radio", name="second")).to_be_checked()
    with opened(browser, f"{site}/?model=lion") as page:
        expect(page.get_by_text("There is no model “lion” here; tiny answers.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_models_are_compared(browser: Browser, site: str, screenshots: Path, scheme: str) -> None:
    with opened(browser, f"{site}/compare", scheme=scheme) as page:
        give(page, file("tom.jpg", picture("red")))
        expect(page.get_by_role("heading", name="Both models say a cat.")).to_be_visible()
        expect(page.get_by_text("the fastest").first).to_be_visible()
        page.get_by_text("Why?").click()
        expect(page.get_by_role("img", name="Where tom.jpg spoke")).to_have_count(2)
        check(page, screenshots, f"compare-{scheme}")
        give(page, file("half.jpg", truncated_jpeg()))
        expect(page.get_by_text("Truncated: the JPEG ends before its")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cards_and_health_are_shown(
    browser: Browser, site: str, screenshots: Path, scheme: str
) -> None:
    with opened(browser, f"{site}/about", scheme=scheme) as page:
        expect(page.get_by_text("Answers are recorded.")).to_be_visible()
        expect(page.get_by_text("mean colour, linear layer", exact=True)).to_be_visible()
        expect(page.get_by_role("row", name="colours/test 2 100.00%")).to_be_visible()
        check(page, screenshots, f"about-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_walked_through(
    browser: Browser, site: str, screenshots: Path, scheme: str
) -> None:
    with opened(browser, f"{site}/insights", scheme=scheme) as page:
        row = page.get_by_role("row", name="custom").filter(has_text=" of 1648").first
        expect(row).to_be_visible()
        before = row.inner_text()
        page.get_by_role("slider", name="Called cat from a probability of").press("End")
        expect(row).not_to_have_text(before)
        expect(page.get_by_text("This report shows none.")).to_be_visible()
        expect(page.get_by_text("tiny: there is nothing to compare with")).to_be_visible()
        check(page, screenshots, f"insights-{scheme}")


def test_the_queue_is_worked_through_by_keyboard(
    browser: Browser, settings: Settings, tmp_path: Path, screenshots: Path
) -> None:
    own = settings.model_copy(
        update={"records": f"sqlite:///{tmp_path}/r.db", "keep_pictures": "all"}
    )
    with running(create_app(own)) as service, page_asking(service, tmp_path) as url:
        asked = Service(service.url)
        for colour in ("red", "blue", "purple", "black"):
            asked.classify("tiny", picture(colour))
            asked.classify("second", picture(colour))
        with opened(browser, f"{url}/review") as page:
            expect(page.get_by_text("4 to look at.")).to_be_visible()
            check(page, screenshots, "review-light")
            page.keyboard.press("2")
            expect(page.get_by_text("3 to look at, 1 decided.")).to_be_visible()
            page.keyboard.press("s")
            expect(page.get_by_text("2 to look at, 1 skipped, 1 decided.")).to_be_visible()
            page.keyboard.press("n")
            expect(page.get_by_text("1 to look at, 1 skipped, 2 decided.")).to_be_visible()
            labels = [each.feedback.label for each in asked.decided(9) if each.feedback]
            assert labels == ["neither", "dog"]
            asked.classify("tiny", picture("green"))
            page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
            page.get_by_role("link", name="About").click()
            expect(page.get_by_role("heading", name="tiny")).to_be_visible()
            page.get_by_role("link", name="Review").click()  # what came meanwhile is there
            expect(page.get_by_text("2 to look at, 1 skipped, 2 decided.")).to_be_visible()
            page.get_by_role("tab", name="Decided").click()
            expect(page.get_by_text("2 answers decided, 2 pictures to train on")).to_be_visible()
            check(page, screenshots, "decided-light")
            page.keyboard.press("1")  # of a picture that is not to be seen now
            settled(page)
            assert len(asked.decided(9)) == 2
            page.get_by_role("button", name="Export").click()
            expect(page.get_by_role("button", name="Save the ZIP")).to_be_visible()
            check(page, screenshots, "exported-light")
            with zipfile.ZipFile(downloaded(page, "Save the ZIP").path()) as archive:
                assert len(archive.namelist()) == 3
                assert archive.read("labels.csv").startswith(b"path,label\n")


def test_a_model_is_trained_while_the_page_is_closed_and_opened_again(
    browser: Browser,
    settings: Settings,
    tmp_path: Path,
    screenshots: Path,
    control: Path,
) -> None:
    own = settings.model_copy(update={"training": True, "training_dir": tmp_path / "training"})
    with running(create_app(own)) as service, page_asking(service, tmp_path) as url:
        with opened(browser, f"{url}/train") as page:
            sent = zipped({**drawn_files(10), "cat/half.jpg": truncated_jpeg()})
            give(page, file("pets.zip", sent))
            page.get_by_role("button", name="Check them").click()
            expect(page.get_by_text("1 cannot be used")).to_be_visible()
            check(page, screenshots, "train-new-light")
            page.get_by_text("A whole network", exact=True).click()
            page.get_by_role("button", name="Train", exact=True).click()
            heading = page.get_by_role("heading", name="my-model is being trained")
            expect(heading).to_be_visible()
            expect(page).to_have_url(re.compile(r"/train\?job=\w+"))
            address = page.url
        with opened(browser, address, scheme="dark") as page:
            expect(page.get_by_text("Epoch 1 of 20")).to_be_visible()
            check(page, screenshots, "train-dark")
            (control / "go").touch()
            expect(page.get_by_role("heading", name="my-model is trained")).to_be_visible()
            page.get_by_role("link", name="Classify with my-model").click()
            expect(page.get_by_role("radio", name="my-model")).to_be_checked()


def test_a_service_that_goes_away_is_said(
    browser: Browser, service: Running, tmp_path: Path
) -> None:
    with page_asking(service, tmp_path) as url, opened(browser, url) as page:
        give(page, file("tom.jpg", picture("red")))
        expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
        service.stop()
        give(page, file("late.jpg", picture("blue")))
        expect(page.get_by_text("does not answer")).to_be_visible()
        expect(page.get_by_text("Not asked yet.")).to_be_visible()
        expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
        for name in ("Compare", "About"):
            page.get_by_role("link", name=name).click()
            expect(page).to_have_title(f"{name} · pawsight")
            expect(page.get_by_text("does not answer")).to_be_visible()
            if name == "Compare":
                expect(page.get_by_role("heading", name="Every model, one picture")).to_be_visible()
                give(page, file("new.jpg", picture("red")))
                expect(page.get_by_text("new.jpg").first).to_be_visible()
                settled(page)
                expect(page.get_by_text("does not answer")).to_be_visible()
            assert "Traceback" not in page.content()


def test_a_service_that_comes_back_needs_no_click(
    browser: Browser, service: Running, settings: Settings, tmp_path: Path
) -> None:
    with page_asking(service, tmp_path) as url:
        service.stop()
        with opened(browser, url) as page, opened(browser, f"{url}/compare") as other:
            for each in (page, other):
                expect(each.get_by_text("does not answer")).to_be_visible()
                give(each, file("tom.jpg", picture("red")))
            with running(create_app(settings), port=service.port):
                expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
                expect(other.get_by_role("heading", name="Both models say a cat.")).to_be_visible()
                expect(page.get_by_text("does not answer")).to_have_count(0)


def test_on_a_phone_the_menu_is_called_so_and_wide_tables_say_how_to_see_the_rest(
    browser: Browser, site: str
) -> None:
    hint = "each => getComputedStyle(each, '::before').height"
    with opened(browser, f"{site}/insights", size=PHONE) as page:
        table = page.get_by_role("group", name="The figures of each model")
        expect(table).to_be_visible()
        assert float(table.evaluate(hint).removesuffix("px")) > 10
        menu = page.get_by_test_id("stExpandSidebarButton")
        assert "Menu" in menu.evaluate("each => getComputedStyle(each, '::before').content")
        menu.click()
        page.get_by_role("link", name="About").click()
        expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()
        # Streamlit's own menu stays open over the page, but for what says that it is a phone.
        expect(page.get_by_role("link", name="Compare")).not_to_be_in_viewport()
        expect(menu).to_be_visible()
    with opened(browser, f"{site}/insights", size=WIDE) as page:
        table = page.get_by_role("group", name="At a threshold of 0.50")
        expect(table).to_be_visible()
        assert table.evaluate(hint) == "0px"


def test_the_pictures_of_the_documentation(
    browser: Browser, tmp_path: Path, screenshots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PAWSIGHT_SCREENSHOTS=docs/images` makes them again, on the embedded models."""
    embedded = Path(pawsight.__file__).parent / "weights"
    monkeypatch.setattr("pawsight.inference.catalog._EMBEDDED", embedded)
    records = f"sqlite:///{tmp_path}/r.db"
    with (
        running(create_app(Settings(records=records))) as service,
        page_asking(service, tmp_path) as url,
    ):
        with opened(browser, url, size=(1200, 1000)) as page:
            page.get_by_role("button", name="Try the examples").click()
            expect(page.get_by_text("3 pictures: neither 2, cat 1")).to_be_visible()
            settled(page)
            page.locator("[data-testid=stMain]").evaluate("each => each.scrollTo(0, 0)")
            page.screenshot(path=screenshots / "page.png")
        with opened(browser, f"{url}/compare", size=(1200, 1100)) as page:
            page.get_by_role("button", name="Try the examples").click()
            page.get_by_text("Why?").click()
            expect(page.get_by_role("img", name="Where cat.jpg spoke")).to_have_count(3)
            settled(page)
            page.locator("[data-testid=stMain]").evaluate("each => each.scrollTo(0, 0)")
            page.screenshot(path=screenshots / "compare.png")
        with opened(browser, f"{url}/insights", size=(1200, 1000)) as page:
            expect(page.locator("svg.marks").first).to_be_visible()
            settled(page)
            page.screenshot(path=screenshots / "insights.png")


@pytest.mark.parametrize("address", ["docs", "redoc"])
def test_the_documentation_is_shown(browser: Browser, standing: Running, address: str) -> None:
    page = browser.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"{standing.url}/{address}")
    expect(page.get_by_text("Classify one picture").filter(visible=True).first).to_be_visible()
    assert not failures
    page.close()
