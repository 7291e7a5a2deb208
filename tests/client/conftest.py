from __future__ import annotations

from collections.abc import Iterator

import pytest

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.running import Running, running
from tests.serving.conftest import nothing_installed, second, settings, tiny

__all__ = ["nothing_installed", "second", "settings", "tiny"]


@pytest.fixture
def service(settings: Settings) -> Iterator[Running]:
    """A real service with the models ``tiny`` and ``second``."""
    with running(create_app(settings)) as service:
        yield service
