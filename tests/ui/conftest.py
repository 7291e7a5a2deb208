from __future__ import annotations

from collections.abc import Iterator

import pytest

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.running import Running, running
from tests.serving.conftest import nothing_installed, settings, tiny

__all__ = ["nothing_installed", "settings", "tiny"]


@pytest.fixture
def service(settings: Settings) -> Iterator[Running]:
    """A real service with the model ``tiny``, and ``pretrained`` that is not installed."""
    with running(create_app(settings)) as service:
        yield service
