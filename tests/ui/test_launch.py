from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pawsight.ui import launch as launching


def test_the_process_becomes_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[Any] = []
    monkeypatch.setattr("os.execve", lambda *arguments: became.extend(arguments))
    launching.launch(port=9000, api="http://elsewhere:8000", report=Path("mine.json"))
    program, command, environment = became
    assert program == sys.executable
    assert command[1:4] == ["-m", "streamlit", "run"]
    assert Path(command[4]).name == "page.py"
    assert Path(command[4]).is_file()
    assert command[5:] == ["--server.port", "9000", "--server.address", "127.0.0.1"]
    assert environment["PAWSIGHT_API_URL"] == "http://elsewhere:8000"
    assert environment["PAWSIGHT_REPORT"] == str(Path("mine.json").resolve())


def test_what_does_not_change_lies_beside_the_page() -> None:
    config = Path(launching.__file__).with_name(".streamlit") / "config.toml"
    assert "gatherUsageStats = false" in config.read_text(encoding="utf-8")
