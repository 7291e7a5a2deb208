"""What happens beside the steps of a training: validations, lines in the log, an early end."""

from __future__ import annotations

import logging
import time
from typing import Final

import lightning as L
from lightning.pytorch.callbacks import Callback

from pawsight.training.run import RunError

_DIVERGED: Final = 1e4
"""Far above a loss that is learned from: of a thousand classes, whoever knows nothing has 7."""

log = logging.getLogger(__name__)


class SomeValidations(Callback):
    """Validates after some epochs alone, and after the last.

    Args:
        every: Epochs from one validation to the next.

    Attributes:
        of_the_last: Whether there was one after the last epoch.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self.of_the_last = False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember that the last epoch has had it."""
        self.of_the_last = trainer.current_epoch + 1 == trainer.max_epochs

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say it of the first epoch: one that is gone on with is not announced."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say after which epochs there is a validation, of which this one may be."""
        last = trainer.current_epoch + 1 == trainer.max_epochs
        trainer.check_val_every_n_epoch = 1 if last else self._every


class StopsWhereDiverged(Callback):
    """Ends a training whose loss no step will bring down again."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the losses that the epoch ended with.

        Raises:
            RunError: One is larger than any that is learned from, or none at all.
        """
        for name in ("train_loss", "val_loss"):
            loss = float(trainer.callback_metrics.get(name, 0.0))
            if not loss < _DIVERGED:
                raise RunError(
                    f"the training diverged: {name} is {loss:.3g} after epoch "
                    f"{trainer.current_epoch + 1}. A lower learning rate helps, and --debug "
                    "learning-rate shows which"
                )


class EpochLines(Callback):
    """A line in the log for every epoch, where there is no terminal for a progress bar."""

    def __init__(self) -> None:
        self._start = time.monotonic()  # an epoch that is gone on with is not announced
        self._validated = False

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember when the epoch began."""
        self._start = time.monotonic()
        self._validated = False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember that what validation reached is this epoch's."""
        self._validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log what the epoch reached."""
        reached = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if self._validated or not name.startswith("val_")
        }
        log.info(
            "epoch %d of %d: %s (%.0f s)",
            trainer.current_epoch + 1,
            trainer.max_epochs or 0,
            ", ".join(f"{name} {value:.4f}" for name, value in sorted(reached.items())),
            time.monotonic() - self._start,
        )
