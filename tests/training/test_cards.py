from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pawsight.inference.artifact import Folder, Measurement, ModelFolder
from pawsight.inference.cascade_card import CascadeFolder
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
