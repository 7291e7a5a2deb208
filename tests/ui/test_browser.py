"""The page in a real browser, beside a real service."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

import pawsight
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.pictures import picture, truncated_jpeg
from tests.running import Running, running

PATIENCE = 120.0  # seconds
SIZES = {1440: 900, 390: 844}

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page_url(service: Running, tmp_path: Path) -> Iterator[str]:
    """The real page as its own process, which asks the real service."""
    with page_asking(service, tmp_path) as url:
        yield url


@contextmanager
def page_asking(service: Running, folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    code = f"from pawsight.ui.launch import launch; launch({port}, {service.url!r})"
    source = str(Path(pawsight.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": source}
    )
    try:
        wait_for(f"{url}/_stcore/health", process)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the page go: ``$PAWSIGHT_SCREENSHOTS``, else nowhere that lasts."""
    chosen = os.environ.get("PAWSIGHT_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the page did not start")


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_in_sentences_out_and_words_when_the_service_is_gone(
    browser: Browser, page_url: str, service: Running, screenshots: Path, scheme: str
) -> None:
    page = browser.new_page(
        viewport={"width": 1440, "height": SIZES[1440]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.set_default_timeout(1000 * PATIENCE)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(page_url)
    expect(page.get_by_role("heading", name="pawsight")).to_be_visible()
    expect(page.get_by_text("Cat, dog or neither?")).to_be_visible()
    expect(page.get_by_text("second", exact=True)).to_be_visible()

    chooser = page.locator('input[type="file"]')
    chooser.set_input_files([file("tom.jpg", picture("red"))])
    expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
    expect(page.get_by_role("meter", name="cat")).to_be_visible()
    expect(page.get_by_role("meter", name="dog")).to_be_visible()
    expect(page.get_by_role("img", name="tom.jpg")).to_be_visible()
    expect(page.get_by_text("answered by tiny")).to_be_visible()

    chooser.set_input_files(
        [
            file("rex.heic", picture("blue", "HEIF")),
            file("toaster.png", picture("black", "PNG")),
            file("half.jpg", truncated_jpeg()),
        ]
    )
    expect(page.get_by_text("4 pictures: cat 1, dog 1, neither 1, no answer 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Neither a cat nor a dog.")).to_be_visible()
    expect(page.get_by_text("Truncated: the JPEG ends before its picture does.")).to_be_visible()
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        assert fits(page)
        page.screenshot(path=screenshots / f"page-{scheme}-{width}.png")

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert "tom.jpg,cat," in download.value.path().read_text(encoding="utf-8")

    service.stop()
    chooser.set_input_files([file("late.jpg", picture("blue"))])
    expect(page.get_by_text("does not answer")).to_be_visible()
    expect(page.get_by_text("Not asked yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="This is a cat.")).to_be_visible()
    assert fits(page)
    assert "Traceback" not in page.content()
    assert failures == []
    page.close()


def test_the_examples_on_the_embedded_model(
    browser: Browser, tmp_path: Path, screenshots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What README shows: `PAWSIGHT_SCREENSHOTS=docs/images` makes its picture again."""
    examples = Path(__file__).parents[2] / "examples"
    embedded = Path(pawsight.__file__).parent / "weights"
    monkeypatch.setattr("pawsight.inference.catalog._EMBEDDED", embedded)
    with (
        running(create_app(Settings())) as service,
        page_asking(service, tmp_path) as url,
    ):
        page = browser.new_page(viewport={"width": 1200, "height": 820})
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(url)
        chooser = page.locator('input[type="file"]')
        for name in ("rocket.jpg", "coffee.jpg", "cat.jpg"):
            chooser.set_input_files(examples / name)
            expect(page.get_by_role("img", name=name)).to_be_visible()
        expect(page.get_by_text("3 pictures: neither 2, cat 1")).to_be_visible()
        page.wait_for_timeout(500)
        page.screenshot(path=screenshots / "page.png")
        page.close()


@pytest.mark.parametrize("address", ["docs", "redoc"])
def test_the_documentation_is_shown(browser: Browser, service: Running, address: str) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"{service.url}/{address}")
    expect(page.get_by_text("Classify one picture").filter(visible=True).first).to_be_visible()
    assert not failures
