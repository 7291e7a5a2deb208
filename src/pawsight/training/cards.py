"""What was measured later, written into a folder's card, whatever the folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pawsight.inference.artifact import CARD_FILE, Folder, Measurement
from pawsight.inference.cascade_card import CASCADE_FILE
from pawsight.training.cascade_folder import write_cascade
from pawsight.training.folder import write_card

_WRITERS: Final[dict[str, Callable[[Path, Any], Folder[Any]]]] = {
    CARD_FILE: write_card,
    CASCADE_FILE: write_cascade,
}


def record(folder: Folder[Any], measurement: Measurement) -> Folder[Any]:
    """Add a measurement to a folder's card, in place of an older one on the same data.

    Raises:
        OSError: It cannot be written; the card that was there still is.
    """
    return _WRITERS[folder.card_file](folder.path, folder.card.measured(measurement))
