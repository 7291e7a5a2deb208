from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from pawsight.cli.memory import KEPT, SETTINGS, keep_memory

Begun = list[tuple[Sequence[str], Mapping[str, str]]]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    """What this process, were it ``pawsight train``, would be begun anew as."""
    calls: Begun = []
    monkeypatch.delenv(SETTINGS, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(sys, "argv", ["pawsight", "train", "--help"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "pawsight", "train", "--help"])
    monkeypatch.setattr(os, "execve", lambda _, command, told: calls.append((command, told)))
    return calls


def test_a_training_is_begun_anew_once(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_memory()
    [(command, environment)] = begun
    assert command == [sys.executable, "-m", "pawsight", "train", "--help"]
    assert environment[SETTINGS] == KEPT
    for name in environment.keys() - os.environ.keys() - {SETTINGS}:
        monkeypatch.setenv(name, environment[name])  # as where the settings are taken away again
    keep_memory()
    assert len(begun) == 1


@pytest.mark.parametrize("library", [("glibc", "2.34"), ("musl", "1.2.5"), ("", "")])
def test_what_another_library_would_not_take_is_not_set(
    begun: Begun, monkeypatch: pytest.MonkeyPatch, library: tuple[str, str]
) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    keep_memory()
    assert not begun


def test_neither_the_users_settings_nor_another_program_are_touched(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "orig_argv", ["python", "-m", "ipykernel_launcher"])
        keep_memory()
    monkeypatch.setenv(SETTINGS, "")
    keep_memory()
    assert not begun


def test_it_ends_as_it_would_have(tmp_path: os.PathLike[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != SETTINGS}
    ended = subprocess.run(
        [sys.executable, "-m", "pawsight", "train", "--labels", "nothing.csv", "--output", "new"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "nothing.csv" in ended.stderr
