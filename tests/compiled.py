"""Tests of what is done by a library where one was compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest


def needs_library_of(module: ModuleType) -> pytest.MarkDecorator:
    """Skips a test where the module's library was not compiled."""
    there = module._LIBRARY.exists()
    return pytest.mark.skipif(
        not there, reason="there was no C compiler when pawsight was installed"
    )


def proved_anew(module: ModuleType) -> Callable[[], Iterator[None]]:
    """A fixture: every test looks for the module's library anew."""

    @pytest.fixture(autouse=True)
    def fresh() -> Iterator[None]:
        module._proved.cache_clear()
        yield
        module._proved.cache_clear()

    return fresh
