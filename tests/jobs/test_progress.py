"""How far a training is, from files that it writes meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.inference.artifact import RUN_FOLDER
from pawsight.jobs.command import MODEL
from pawsight.jobs.progress import curves

WHOLE = "epoch,train_loss,val_loss\n0,0.5,\n0,,0.4\n1,0.3,\n1,,0.2\n"


def write(folder: Path, part: int, content: bytes) -> None:
    file = folder / MODEL / RUN_FOLDER / "logs" / f"part-{part}" / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)


@pytest.mark.parametrize("torn", [b"\xff\xfe", b'epoch,val_loss\n"' + b"9" * 200_000])
def test_a_torn_file_hides_nothing_of_the_others(tmp_path: Path, torn: bytes) -> None:
    write(tmp_path, 9, WHOLE.encode())
    write(tmp_path, 10, torn)
    assert [(each.epoch, each.val_loss) for each in curves(tmp_path)] == [(1, 0.4), (2, 0.2)]


def test_epochs_that_are_trained_again_are_told_of_the_attempt_that_counts(tmp_path: Path) -> None:
    whole = "".join(f"{epoch},0.5,\n{epoch},,0.4\n" for epoch in range(7))
    write(tmp_path, 0, f"epoch,train_loss,val_loss\n{whole}".encode())
    write(tmp_path, 1, b"epoch,train_loss,val_loss\n1,0.3,\n1,,0.2\n2,0.1,\n")
    assert [(each.epoch, each.val_loss) for each in curves(tmp_path)] == [(1, 0.4), (2, 0.2)]
