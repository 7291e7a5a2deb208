"""Checkpoints as files: written whole or not at all, and told from those that are torn."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from lightning.fabric.plugins import TorchCheckpointIO


class WholeCheckpoints(TorchCheckpointIO):
    """Has Lightning write its checkpoints by :func:`write_whole`.

    What it does itself lies in the system's temporary folder first, from which it can only be
    copied where that is another disk: a kill then leaves half a checkpoint.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,  # noqa: ANN401 - Lightning's
    ) -> None:
        """Write a checkpoint, in place of the one before."""
        write_whole(checkpoint, Path(path))

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any | None = "cpu",  # noqa: ANN401 - Lightning's
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint, as if its folder had always been where it is now.

        Of a folder that was moved Lightning would forget which epoch was the best, and write a
        worse one over it.
        """
        checkpoint = super().load_checkpoint(path, map_location, weights_only)
        home = Path(path).resolve().parent
        callbacks = checkpoint.get("callbacks", {})
        for name, state in callbacks.items():
            if "dirpath" in state:  # of a ModelCheckpoint
                callbacks[name] = _moved(state, home)
        return checkpoint


def _moved(state: dict[str, Any], home: Path) -> dict[str, Any]:
    """What a ``ModelCheckpoint`` remembers, with its files in another folder."""

    def there(file: str) -> str:
        return str(home / Path(file).name) if file else file

    files = {name: there(each) for name, each in state.items() if name.endswith("_path")}
    best = {there(file): score for file, score in state["best_k_models"].items()}
    return state | files | {"dirpath": str(home), "best_k_models": best}


def write_whole(state: dict[str, Any], file: Path) -> None:
    """Put what torch saves into a file, in place of what was there, which stays until then.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    try:
        with fresh.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def is_whole(file: Path) -> bool:
    """Whether a file of torch's, a ZIP, is all there, by its directory and its checksums.

    Raises:
        OSError: It cannot be read.
    """
    with file.open("rb") as stream:
        try:
            with ZipFile(stream) as parts:
                return parts.testzip() is None
        except (BadZipFile, EOFError, RuntimeError, ValueError, zlib.error):
            return False
