"""A new head on the features of a trained model: a model of other classes in seconds."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.augment import Augmentation
from pawsight.data.duplicates import group_near_duplicates, hash_files
from pawsight.inference.artifact import BACKGROUND_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.inference.prediction import energy
from pawsight.inference.rejection import Rejection
from pawsight.labels import BACKGROUND, NEITHER, numbers_of
from pawsight.training.background import read_background, unlike
from pawsight.training.calibrate import HeldOut, calibrate
from pawsight.training.features import Features, Look, augmented, extract
from pawsight.training.head import FittedHead, fit_head
from pawsight.training.headed import refuse_taken, removed_if_refused, write_headed
from pawsight.training.table_checks import check_table

log = logging.getLogger(__name__)

LOSES: Final = 0.05
"""The part of pictures of the classes that may be called ``neither``.

More than of the networks that were trained as a whole: features that were learned for other classes
part these from the rest less sharply.
"""


TOO_MUCH: Final = 0.3
"""The part of the background that may pass for one of the classes without a warning."""

_AUGMENTED: Final = 2
"""How often each picture is looked at beside as it is."""


def transfer(
    table: pd.DataFrame,
    start: ModelFolder,
    output: Path,
    *,
    name: str,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ModelFolder:
    """Make a model folder of a trained one and of a table with other classes.

    The network stays as it is up to its features; a linear head on them is fitted to the training
    split (:func:`~pawsight.training.head.fit_head`), with the background that the folder carries
    and the table's own ``neither``, and written into the network. Each picture is looked at as it
    is, and augmented. Thresholds are chosen on the validation split, and on the training pictures
    as heads saw them that were fitted without.

    Args:
        table: ``path``, ``label`` and ``split``.
        start: The model whose features are taken.
        output: The folder to write.
        name: For the card.
        seed: Of the folds and of the augmentation.
        progress: Called with the number of pictures looked at after each step.

    Raises:
        RunError: The table cannot be trained on, or ``output`` holds a model or a training.
        ModelError: The model to start from is broken.
        ExportError: The network cannot be given another head.
    """
    labels = check_table(table)
    refuse_taken(output)
    parent = Classifier(start, precision="float32")
    training = table.loc[table["split"] == "train"]
    paths = training["path"].tolist()
    # What is augmented need not be seen exactly: by integers it takes less than half of the time.
    further = Look(Classifier(start), augmented(Augmentation(), seed))
    views = extract([Look(parent), *[further] * _AUGMENTED], paths, progress=progress)
    numbers = training["label"].map(numbers_of(labels)).to_numpy(dtype=np.int64)
    groups = group_near_duplicates(hash_files(paths)).astype(np.int64)
    fitted = _fit(views, numbers, groups, read_background(start), seed)
    with_background = bool((numbers == BACKGROUND).any()) or (BACKGROUND_FILE in start.card.files)
    if not with_background:
        log.warning(
            "%s carries no background and the table has no rows of %s: the new model will overlook "
            "most pictures of none of its classes",
            start.card.name, NEITHER,
        )  # fmt: skip
    held_out = _first_of_group(fitted.held_out, numbers, groups)
    with removed_if_refused(output):
        folder = write_headed(
            parent,
            fitted.head,
            output,
            name=name,
            labels=labels,
            table=table,
            recipe={"head": "linear", "augmented": _AUGMENTED, **fitted.recipe},
            seed=seed,
            trained=with_background,
        )
        folder = calibrate(folder, table, progress, further=held_out, loses=LOSES)
    warn_of_passing(folder.card.rejection, fitted.held_out[views.shape[0] * views.shape[1] :])
    return folder


def warn_of_passing(rejection: Rejection, background: Features) -> None:
    """Say so where the threshold that keeps the classes' pictures lets too much else pass.

    Args:
        rejection: As it was chosen.
        background: Logits float32 [B, C] of background, by heads that did not see it.
    """
    if not len(background):
        return
    scores = energy(background)
    passing = float((scores >= rejection.threshold).mean())
    if passing <= TOO_MUCH:
        return
    stricter = (
        (point.loses, part)
        for point in rejection.points
        if (part := float((scores >= point.threshold).mean())) <= passing / 2
    )
    loses, part = next(stricter, (None, passing))
    until_then = (
        f"; until then, with `--may-lose {math.ceil(1000 * loses) / 1000:g}` {part:.0%} pass"
        if loses
        else ""
    )
    log.warning(
        "the threshold that loses at most %.0f %% of the classes' pictures lets %.0f %% of the "
        "background pass for one of them: of few pictures, a single odd one decides how low it has "
        "to be. More pictures help%s",
        100 * LOSES, 100 * passing, until_then,
    )  # fmt: skip


def _fit(
    views: Features,
    numbers: NDArray[np.int64],
    groups: NDArray[np.int64],
    background: Features | None,
    seed: int,
) -> FittedHead:
    """Fit a head to views [N, V, D] of the table's pictures and to a background [B, D].

    Of the background what is unlike the pictures. Rows are all first views, all second ones and so
    on, and the background.
    """
    _, looks, dimensions = views.shape
    used = np.empty((0, dimensions), dtype=np.float32)
    if background is not None:
        known = numbers != BACKGROUND
        used = background[unlike(background, views[known, 0], numbers[known])]
        log.info("%d of %d background features are unlike the classes", len(used), len(background))
    count = len(used)
    return fit_head(
        np.concatenate([*views.swapaxes(0, 1), used]),
        np.concatenate([np.tile(numbers, looks), np.full(count, BACKGROUND)]),
        np.concatenate([np.tile(groups, looks), np.arange(count) + len(groups)]),
        seed=seed,
    )


def _first_of_group(
    held_out: Features, numbers: NDArray[np.int64], groups: NDArray[np.int64]
) -> HeldOut | None:
    """What was said of the table's pictures, of look-alikes one; None where nothing was.

    Of background from elsewhere nothing is kept: how much of it is caught says nothing about the
    pictures that a user will send.
    """
    if not len(held_out):
        return None
    first = np.unique(groups, return_index=True)[1]
    return HeldOut(held_out[first], numbers[first])
