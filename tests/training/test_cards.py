from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pawsight.inference.artifact import Folder, Measurement, ModelFolder
from pawsight.inference.cascade_card import CascadeFolder
from pawsight.training import folder as writing
from pawsight.training.cards import record
from tests.cascades import make_cascade_folder
from tests.model_folders import make_model_folder

MEASURED = Measurement(data="album", pictures=3, accuracy=1.0)


@pytest.mark.parametrize(
    ("make", "opened"),
    [(make_model_folder, ModelFolder.open), (make_cascade_folder, CascadeFolder.open)],
)
@pytest.mark.parametrize("full", ["README.md", ".json"])
def test_a_disk_that_is_full_leaves_a_measured_model_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], object],
    opened: Callable[[Path], Folder[Any]],
    full: str,
) -> None:
    make(tmp_path / "model")
    folder = opened(tmp_path / "model")
    before = {file.name: file.stat().st_size for file in folder.path.iterdir()}
    write = Path.write_bytes

    def until_it_is_full(file: Path, data: bytes) -> int:
        if full in file.name:
            write(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(file))
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", until_it_is_full)
        with pytest.raises(OSError, match="No space left"):
            record(folder, MEASURED)
    assert {file.name: file.stat().st_size for file in folder.path.iterdir()} == before
    assert opened(folder.path).card == folder.card
    assert record(folder, MEASURED).card.metrics[-1] == MEASURED
    assert "| album | 3 | 100.00%" in (folder.path / "README.md").read_text()


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_the_commit_is_that_of_pawsight_and_not_of_whoever_has_it_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    (tmp_path / ".venv").mkdir()
    for file in ("ours.py", ".venv/theirs.py"):
        (tmp_path / file).touch()
    git("init", "--quiet")
    git("add", "ours.py")
    git("commit", "--quiet", "--message", "x")
    monkeypatch.setattr(writing, "__file__", str(tmp_path / "ours.py"))
    assert writing.code_revision() == git("rev-parse", "--short=12", "HEAD")
    (tmp_path / "ours.py").write_text("changed")
    assert writing.code_revision().endswith("-dirty")
    monkeypatch.setattr(writing, "__file__", str(tmp_path / ".venv" / "theirs.py"))
    assert writing.code_revision() == f"pawsight {version('pawsight')}"
