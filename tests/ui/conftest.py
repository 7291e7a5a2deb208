from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.running import Running, running
from tests.serving.conftest import nothing_installed, second, settings, tiny
from tests.ui.browsing import page_asking

__all__ = ["nothing_installed", "second", "settings", "tiny"]


@pytest.fixture
def service(settings: Settings) -> Iterator[Running]:
    """A real service with the models ``tiny`` and ``second``, which a test may stop."""
    with running(create_app(settings)) as service:
        yield service


@pytest.fixture(scope="package")
def standing(settings: Settings) -> Iterator[Running]:
    """The same for all tests: not to be stopped. It keeps the pictures."""
    keeps = settings.model_copy(update={"keep_pictures": "all", "max_bytes": 2_000_000})
    with running(create_app(keeps)) as service:
        yield service


@pytest.fixture(scope="package")
def site(standing: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that asks it."""
    with page_asking(standing, tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *camera]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the page go: ``$PAWSIGHT_SCREENSHOTS``, else nowhere that lasts.

    Those of the documentation lie in it, those of what was checked in its folder ``checked``.
    """
    chosen = os.environ.get("PAWSIGHT_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
