from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are installed during a test."""
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
