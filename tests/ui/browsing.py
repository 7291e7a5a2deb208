"""The page in a real browser: starting it, and what must hold of every page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Download, FilePayload, Page, expect

import pawsight
from tests.running import Running

PATIENCE = 60.0  # seconds
WIDE, PHONE = (1440, 900), (390, 844)

expect.set_options(timeout=1000 * PATIENCE)

_STICKING_OUT = """() => document.documentElement.scrollWidth <= window.innerWidth
  ? [] : ["sticks out: " + document.documentElement.scrollWidth]"""

# Pairs of visible things that say or do something and lie on each other, in words.
_OVERLAPS = """() => {
  const kinds = 'h1,h2,h3,p,button,label,figcaption,td,th,dt,dd,.paw-picture,[role=meter]';
  const shown = each => {  // what scrolling boxes around it leave to be seen
    let {left, top, right, bottom} = each.getBoundingClientRect();
    for (let at = each.parentElement; at; at = at.parentElement) {
      if (getComputedStyle(at).overflow === 'visible') continue;
      const box = at.getBoundingClientRect();
      [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
      [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
    }
    return {left, top, right, bottom};
  };
  const seen = [...document.querySelectorAll('[data-testid=stMainBlockContainer]')]
    .flatMap(main => [...main.querySelectorAll(kinds)])
    .filter(each => each.checkVisibility({opacityProperty: true, visibilityProperty: true}))
    .filter(each => !each.closest('[data-testid=stSlider], [data-testid=stVegaLiteChart]'))
    .map(each => [each, shown(each)])
    .filter(([each, box]) => box.right - box.left > 3 && box.bottom - box.top > 3);
  const found = [];
  seen.forEach(([one, a], number) => seen.slice(number + 1).forEach(([other, b]) => {
    if (one.contains(other) || other.contains(one)) return;
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const [first, second] = [one, other].map(each => each.outerHTML.slice(0, 150));
    if (wide > 2 && high > 2) found.push(`overlap: ${first} | ${second}`);
  }));
  return found;
}"""


@contextmanager
def page_asking(service: Running, folder: Path) -> Iterator[str]:
    """The real page as its own process, which asks a real service; its address."""
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
        _wait_for(f"{url}/_stcore/health", process)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the page did not start")


@contextmanager
def opened(
    browser: Browser, url: str, *, size: tuple[int, int] = WIDE, scheme: str = "light"
) -> Iterator[Page]:
    """A tab of its own that shows an address; nothing in it may fail."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.set_default_timeout(1000 * PATIENCE)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    yield page
    assert page.locator(".stException").count() == 0
    assert "Traceback" not in page.content()
    assert failures == []
    page.close()


def settled(page: Page) -> None:
    """Wait until the page's script has run, and what moves has come to rest."""
    page.wait_for_timeout(150)
    expect(page.locator('.stApp[data-test-script-state="running"]')).to_have_count(0)
    page.wait_for_timeout(150)


def check(page: Page, screenshots: Path, name: str) -> None:
    """Nothing sticks out or overlaps at either width, and axe finds nothing serious."""
    for width, height in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        wrong = page.evaluate(_STICKING_OUT) + page.evaluate(_OVERLAPS) + violations(page)
        page.screenshot(path=screenshots / "checked" / f"{name}-{width}.png")
        assert not wrong, f"{name} at {width} pixels:\n" + "\n".join(wrong)


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def file(name: str, data: bytes) -> FilePayload:
    """A file to choose."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def give(page: Page, *files: FilePayload) -> None:
    """Choose files in the page's uploader."""
    page.locator('input[type="file"]').first.set_input_files(list(files))


def downloaded(page: Page, button: str) -> Download:
    """What a button gives to save."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value
