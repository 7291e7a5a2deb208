"""The documentation's live demo in a real browser, against the answers of Python."""

from __future__ import annotations

import base64
import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pawsight.inference.catalog import resolve
from pawsight.inference.classifier import Classifier

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
PICTURES = 200
PATIENCE = 60.0  # seconds

CLASSIFY = """
async (encoded) => {
  const demo = await import(new URL("demo/demo.js", location.href));
  globalThis.loaded ??= demo.load();
  const bytes = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
  const { label, probabilities } = await demo.classify(await globalThis.loaded, new Blob([bytes]));
  return { label, probabilities };
}
"""

expect.set_options(timeout=1000 * PATIENCE)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if not (SITE / "demo.html").is_file():
        pytest.skip("the documentation is not built: `make docs`")
    handler = functools.partial(_Quiet, directory=str(SITE))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


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
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    elsewhere: list[str] = []
    failed: list[str] = []
    page.on("request", lambda each: elsewhere.append(each.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{address}/demo.html")
    expect(page.get_by_role("status")).to_have_text("Ready.")
    yield page
    assert not [each for each in elsewhere if not each.startswith((address, "data:", "blob:"))]
    assert not failed
    page.close()


def test_a_picture_is_answered_offline(page: Page) -> None:
    page.context.set_offline(True)
    page.set_input_files("#pawsight-file", ROOT / "examples" / "cat.jpg")
    expect(page.get_by_role("status")).to_contain_text("A cat: ")
    assert page.locator("canvas").evaluate("each => each.width") > 100
    assert page.get_by_role("progressbar").count() == 2
    before = page.locator("canvas").evaluate("each => each.toDataURL()")
    page.get_by_role("slider").fill("0")
    assert page.locator("canvas").evaluate("each => each.toDataURL()") != before
    page.set_input_files("#pawsight-file", ROOT / "README.md")
    expect(page.get_by_role("status")).to_contain_text("cannot read this file")
    page.context.set_offline(False)


def test_what_is_neither_is_called_so(page: Page) -> None:
    page.get_by_role("button", name="a rocket").click()
    expect(page.get_by_role("status")).to_contain_text("Neither")


def test_the_browser_answers_as_python_does(page: Page, shared_data: Path) -> None:
    """The same label but for two pictures in 200, and probabilities within 0.02.

    Of the same arithmetic: the page's is float32.
    """
    model = Classifier(resolve("custom").open(), precision="float32")
    files = sorted((shared_data / "originals").glob("*.jpg"))[:PICTURES]
    others, apart = [], [0.0]
    for file in files:
        encoded = base64.b64encode(file.read_bytes()).decode()
        there = page.evaluate(CLASSIFY, encoded)
        here = model.predict(file)
        if there["label"] != here.label:
            others.append(file.name)
        apart += [abs(there["probabilities"][name] - p) for name, p in here.probabilities.items()]
    assert len(files) == PICTURES
    assert len(others) <= 2, others
    assert max(apart) <= 0.02
