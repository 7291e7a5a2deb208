from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from pawsight.inference.switch import PREVIOUS, back, remove, switch
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


CHANGES: dict[str, tuple[int, Callable[[Path], object]]] = {
    "switch": (4, lambda third: switch("mine", third)),
    "back": (3, lambda _: back("mine")),
    "remove": (2, lambda _: remove("mine")),
}
"""How often each moves a folder, and how it is done."""


@pytest.mark.parametrize(
    ("what", "failing"), [(what, n + 1) for what in CHANGES for n in range(CHANGES[what][0])]
)
def test_wherever_a_folder_cannot_be_moved_all_are_as_they_were(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, failing: int
) -> None:
    for name in ("first", "second", "third"):
        make_model_folder(tmp_path / name, name=name)
    for name in ("first", "second"):
        switch("mine", tmp_path / name)
    rename, calls = Path.rename, itertools.count(1)

    def fails_once(path: Path, target: Path) -> Path:
        if next(calls) == failing:
            raise OSError("no room")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails_once)
    with pytest.raises(OSError, match="no room"):
        CHANGES[what][1](tmp_path / "third")
    assert '"second"' in (home / "mine" / "model.json").read_text()
    assert '"first"' in (home / PREVIOUS / "mine" / "model.json").read_text()
