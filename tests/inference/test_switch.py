from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.inference.switch import PREVIOUS, back, switch
from tests.model_folders import make_model_folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_a_switch_that_fails_leaves_what_was_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = switch("mine", make_model_folder(tmp_path / "first", name="first"))
    second = make_model_folder(tmp_path / "second", name="second")
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if target == home / "mine" and path.name == "mine":
            raise OSError("no room")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no room"):
        switch("mine", second)
    monkeypatch.undo()
    monkeypatch.setenv("PAWSIGHT_MODELS", str(home))
    assert (home / "mine" / "model.json").read_bytes() == (
        tmp_path / "first" / "model.json"
    ).read_bytes()
    assert first.path == home / "mine"
    switch("mine", second)
    assert '"second"' in (home / "mine" / "model.json").read_text()
    assert back("mine") == home / "mine"
    assert '"first"' in (home / "mine" / "model.json").read_text()
    assert '"second"' in (home / PREVIOUS / "mine" / "model.json").read_text()
