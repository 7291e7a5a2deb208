"""Checkpoints as files, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from pawsight.whole import written_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Has Lightning write its checkpoints by :func:`~pawsight.whole.written_whole`.

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
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as stream:
            torch.save(checkpoint, stream)

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
