"""What runs a training: ``pawsight train``, in a folder of the job's own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from pawsight.inference.artifact import RUN_FOLDER
from pawsight.jobs.datasets import Place
from pawsight.jobs.job import Job

MODEL: Final = "model"
"""The folder, in the job's, that becomes a model folder."""

_KEPT: Final = "PAWSIGHT_MODELS"  # of the service's settings: the others hold its secrets


def command_of(job: Job, folder: Path, pictures: Place) -> list[str]:
    """The command line of a job.

    Args:
        job: The job.
        folder: Of the job.
        pictures: To train on.
    """
    command = [
        *(sys.executable, "-m", "pawsight", "train"),
        *("--labels", str(pictures.table)),
        *("--images", str(pictures.pictures)),
        *("--output", str(folder / MODEL)),
        *("--name", job.name),
    ]
    if job.method == "head":
        return [*command, "--start", str(job.start_folder)]
    begun = (folder / MODEL / RUN_FOLDER).exists()
    return [*command, "--epochs", str(job.epochs), *(["--resume"] if begun else [])]


def prepare(job: Job, folder: Path) -> None:
    """Make a folder ready for the job's command, the first time and where it was broken off.

    A full training goes on where it stopped; a head is fitted anew.
    """
    if job.method == "head":
        shutil.rmtree(folder / MODEL, ignore_errors=True)


def environment() -> dict[str, str]:
    """What a training, or what unpacks its pictures, may know of the service's environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == _KEPT or not name.startswith("PAWSIGHT_")
    }
