"""The reference of a model folder: what what comes in later is compared with."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from pawsight.drift.reference import FEWEST, Reference
from pawsight.inference.artifact import REFERENCE_FILE, ModelFolder
from pawsight.inference.network import Outputs
from pawsight.training.folder import digests

log = logging.getLogger(__name__)


def with_reference(
    folder: ModelFolder, outputs: Outputs, chosen: NDArray[np.bool_]
) -> dict[str, str]:
    """Write ``reference.npz`` into a folder, where there are pictures enough.

    Args:
        folder: The model.
        outputs: Of its network, about N validation pictures.
        chosen: [N]: those of its classes, of look-alikes one.

    Returns:
        The digests of all of the folder's files, for its card.
    """
    files = {name: each for name, each in folder.card.files.items() if name != REFERENCE_FILE}
    reference = Reference.of(outputs.features[chosen], outputs.logits[chosen])
    if reference is None:
        log.info(
            "no %s: the service will not see drift, with fewer than %d validation pictures of the "
            "classes", REFERENCE_FILE, FEWEST,
        )  # fmt: skip
        return files
    reference.write(folder.path / REFERENCE_FILE)
    return files | digests(folder.path, [REFERENCE_FILE])
