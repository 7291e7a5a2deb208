"""Stands in for ``pawsight train``: takes no time, and waits where a test wants it to.

    python fake_trainer.py OUTPUT NAME CONTROL

writes what Lightning's logger would, and ends with a model folder, once the folder CONTROL has a
file ``go``; where it has one called ``refuse`` or ``crash``, it ends in this way.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.model_folders import make_model_folder

EPOCH = "{epoch},{step},,{loss},,\n{epoch},{step},0.75,,0.8,{loss}\n"


def say(words: str, logger: str = "pawsight.training.callbacks") -> None:
    """A line, as `pawsight train` logs it."""
    sys.stderr.write(f"2026-01-01 00:00:00,000 {logger}: {words}\n")
    sys.stderr.flush()


def main(output: Path, name: str, control: Path) -> None:
    say("begins")
    with (control / "begun").open("a") as begun:
        begun.write("x")
    logs = output / "training" / "logs"
    part = logs / f"part-{len(list(logs.glob('part-*')))}"
    part.mkdir(parents=True)
    done = len((control / "begun").read_text()) - 1
    with (part / "metrics.csv").open("w") as metrics:
        metrics.write("epoch,step,train_accuracy,train_loss,val_accuracy,val_loss\n")
        metrics.write(EPOCH.format(epoch=done, step=9, loss=0.5))
    say(f"epoch {done + 1} of 3: val_loss 0.5")
    say("Gcsfs experimental features enabled", "gcsfs")
    sys.stderr.write("model folder model: `pawsight classify PICTURE --model model` asks it\n")
    sys.stderr.flush()
    deadline = time.monotonic() + 300
    while not any((control / each).exists() for each in ("go", "refuse", "crash")):
        if time.monotonic() > deadline:
            sys.exit("nobody let it go on")
        time.sleep(0.02)
    if (control / "refuse").exists():
        sys.stderr.write("pawsight: the table is not to its taste\n")
        sys.exit(2)
    if (control / "crash").exists():
        raise MemoryError("no room")
    make_model_folder(output, name=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
