from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.inference.catalog import resolve
from pawsight.inference.errors import UnknownModel
from tests.command import run
from tests.model_folders import make_model_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_an_installed_model_is_removed_and_comes_back(tmp_path: Path, home: Path) -> None:
    folder = make_model_folder(tmp_path / "tiny")
    assert run("models", "switch", "mine", folder).exit_code == 0
    gone = run("models", "remove", "mine")
    assert gone.exit_code == 0
    assert "none answers by its name; `pawsight models back mine` undoes it" in gone.stdout
    with pytest.raises(UnknownModel):
        resolve("mine")
    assert run("models", "back", "mine").exit_code == 0
    assert resolve("mine").path == home / "mine"


def test_embedded_models_stay_and_answer_again(tmp_path: Path) -> None:
    refused = run("models", "remove", "custom")
    assert refused.exit_code != 0
    assert "no model is installed as 'custom'" in refused.stderr
    folder = make_model_folder(tmp_path / "tiny")
    assert run("models", "switch", "custom", folder, "--anyway").exit_code == 0
    assert "the embedded one answers" in run("models", "remove", "custom").stdout
    assert resolve("custom").source == "embedded"
