"""How far a training is, from what it writes while it runs."""

from __future__ import annotations

import csv
import math
import re
import signal
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

from pawsight.inference.artifact import RUN_FOLDER
from pawsight.jobs.command import MODEL
from pawsight.jobs.job import Epoch

LOG: Final = "log.txt"
"""What the training said, in the job's folder."""

_TAIL: Final = 8_000  # bytes
_OWN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} pawsight(?:\.\w+)*: (.+)")
_REFUSAL: Final = "pawsight: "
_COLUMNS: Final = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


def curves(folder: Path) -> tuple[Epoch, ...]:
    """What each epoch of a job's training reached that has been validated.

    Lightning's logger starts a file anew each time that the training goes on.
    """
    found: dict[int, dict[str, list[float]]] = {}
    parts = (folder / MODEL / RUN_FOLDER / "logs").glob("part-*/metrics.csv")
    for part in sorted(parts, key=lambda file: int(file.parent.name.removeprefix("part-"))):
        # What was logged of an epoch before and after a break belongs together; the epochs after it
        # are trained again.
        first = None
        for row in _rows(part):
            try:
                number = int(row["epoch"])
            except (KeyError, TypeError, ValueError):  # a line that is being written
                continue
            if first is None:
                first = number
                found = {each: values for each, values in found.items() if each <= first}
            epoch = found.setdefault(number, defaultdict(list))
            for name in _COLUMNS:
                value = _number(row.get(name))
                if value is not None:
                    epoch[name].append(value)
    return tuple(
        Epoch(
            epoch=number + 1,
            train_loss=fmean(values["train_loss"]) if values["train_loss"] else None,
            train_accuracy=_last(values["train_accuracy"]),
            val_loss=_last(values["val_loss"]),
            val_accuracy=_last(values["val_accuracy"]),
        )
        for number, values in sorted(found.items())
        if values["val_loss"]
    )


def checkpoint(folder: Path) -> float | None:
    """When what a job's training would go on from was written, as its file's time in seconds."""
    try:
        return (folder / MODEL / RUN_FOLDER / "checkpoints" / "last.ckpt").stat().st_mtime
    except OSError:
        return None


def last_words(folder: Path) -> str:
    """The last that pawsight itself logged in a training, without time and logger; else empty.

    What other libraries log, and what is printed for whoever sits at a terminal, is not of it.
    """
    said = [found[1] for line in _lines(folder) if (found := _OWN.fullmatch(line))]
    return said[-1] if said else ""


def why_it_failed(folder: Path, code: int | None) -> str:
    """Why a training came to nothing, in words.

    Args:
        folder: Of the job.
        code: The exit code; None where it is not known.
    """
    lines = _lines(folder)
    said = [line for line in lines if line.startswith(_REFUSAL)]
    if said:
        return said[-1].removeprefix(_REFUSAL)
    if code is not None and code < 0:
        guess = "; there may be too little memory for it" if -code == signal.SIGKILL else ""
        return f"the training was killed (signal {-code}){guess}"
    last = f"; the last it said: {lines[-1]}" if lines else ""
    return f"the training broke off{last}"


def _lines(folder: Path) -> list[str]:
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    plain = text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
    return [line.strip() for line in plain.splitlines() if line.strip()]


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):  # not there, or what a power cut left of it
        return []


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _last(values: Sequence[float]) -> float | None:
    return values[-1] if values else None
