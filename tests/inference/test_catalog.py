from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pawsight
from pawsight.inference.catalog import available, resolve
from pawsight.inference.errors import UnknownModel


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "models"
    monkeypatch.setenv("PAWSIGHT_MODELS", str(home))
    return home


def test_the_embedded_models_are_there(installed: Path) -> None:
    assert {entry.name: entry.source for entry in available()} == {
        "auto": "embedded", "custom": "embedded", "pretrained": "embedded",
    }  # fmt: skip


def test_an_installed_model_comes_before_the_embedded_one(installed: Path, trained: Path) -> None:
    shutil.copytree(trained, installed / "custom", ignore=shutil.ignore_patterns("training"))
    assert resolve("custom").source == "installed"
    assert pawsight.load("custom").card.name == "drawn"


def test_a_folder_is_named_by_its_path(installed: Path, trained: Path) -> None:
    for given in (str(trained), trained):
        model = pawsight.load(given)
        assert model.reference.name == "model"
        assert model.reference.source == "local"


def test_a_folder_with_the_name_of_a_model_is_not_taken_for_it_silently(
    installed: Path, trained: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    shutil.copytree(trained, installed / "here" / "custom")
    monkeypatch.chdir(installed / "here")
    assert resolve("custom").source == "embedded"
    assert "'custom' is the embedded model; the folder here is './custom'" in caplog.text
    assert resolve("./custom").source == resolve(Path("custom")).source == "local"


@pytest.mark.parametrize("name", ["custon", "../custom", "/etc", "", ".", "a b", "x" * 300])
def test_an_unknown_name_says_what_there_is(installed: Path, name: str) -> None:
    with pytest.raises(UnknownModel, match=r"there are .*custom"):
        resolve(name)
