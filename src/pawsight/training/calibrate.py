"""Temperature and thresholds of a model folder, chosen on its validation pictures, and measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.duplicates import group_near_duplicates, hash_files
from pawsight.evaluation.evaluate import evaluate, judge
from pawsight.evaluation.metrics import fit_temperature, wilson_interval
from pawsight.evaluation.rejection import operating_points
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.inference.prediction import conclude, energy
from pawsight.inference.rejection import Rejection
from pawsight.labels import BACKGROUND, NEITHER, numbers_of
from pawsight.training.folder import unchosen, write_card
from pawsight.training.reference import with_reference

log = logging.getLogger(__name__)

LOSES: Final = 0.01
"""The part of pictures of the classes that may be called ``neither``, unless the user chooses."""

SHOWN: Final = 0.95
"""The part of answers that pictures have to be able to show to be right, or they are called few.

Of 73 or more they can (95 % interval), if all of them are answered rightly.
"""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What was answered about pictures by networks that had not seen them.

    Attributes:
        logits: float32 [N, C].
        labels: [N], in [0, C) or :data:`~pawsight.labels.BACKGROUND`.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]


def calibrate(
    folder: ModelFolder,
    table: pd.DataFrame,
    progress: Callable[[int], None] | None = None,
    *,
    further: HeldOut | None = None,
    loses: float = LOSES,
) -> ModelFolder:
    """Choose temperature and rejection thresholds on the validation split, and measure.

    Args:
        folder: The model; its card need not be written yet.
        table: That it was trained on: ``path``, ``label`` and ``split``.
        progress: Called with the number of pictures measured after each step.
        further: Calibrates beside the validation split.
        loses: The part of pictures of the classes that may be called ``neither``.
    """
    rows, classifier = table.loc[table["split"] == "validation"], Classifier(folder)
    outputs = classifier.outputs(rows["path"].tolist(), progress)
    labels = rows["label"].map(numbers_of(folder.card.labels)).to_numpy(dtype=np.int64)
    different = first_alike(rows["path"].tolist())
    files = with_reference(folder, outputs, different & (labels != BACKGROUND))
    chosen_on = HeldOut(outputs.logits[different], labels[different])
    if further:
        chosen_on = HeldOut(
            np.concatenate([chosen_on.logits, further.logits]),
            np.concatenate([chosen_on.labels, further.labels]),
        )
    known = chosen_on.labels != BACKGROUND
    temperature = round(fit_temperature(chosen_on.logits[known], chosen_on.labels[known]), 4)
    _warn_of_few(int(known.sum()))
    rejection = _rejection(chosen_on, loses, trained=folder.card.rejection.trained)
    card = folder.card.model_copy(
        update={
            "temperature": temperature,
            "rejection": rejection,
            "metrics": (),
            "files": files,
        }
    )
    measured = judge(
        conclude(
            outputs.logits,
            card.labels,
            temperature=temperature,
            threshold=rejection.threshold,
            model=classifier.reference,
        ),
        rows["label"].tolist(),
        data=_named("validation"),
        threshold=rejection.threshold,
        members=[classifier.reference],
    )
    folder = write_card(folder.path, card.measured(measured.measurement()))
    rows = table.loc[table["split"] == "test"]
    tested = evaluate(
        Classifier(folder),
        rows["path"].tolist(),
        rows["label"].tolist(),
        data=_named("test"),
        progress=progress,
    )
    return write_card(folder.path, folder.card.measured(tested.measurement()))


def _warn_of_few(pictures: int) -> None:
    """Say that confidences promise too much, where they are fitted on so few pictures.

    Where all of a few are answered rightly, their temperature makes the next answers all but
    certain.
    """
    shown, _ = wilson_interval(pictures, pictures)
    if shown < SHOWN:
        log.warning(
            "confidences were fitted on %d pictures only, which could show no more than that %.0f "
            "%% of the next answers are right: trust none beyond that; more pictures would tell",
            pictures, 100 * shown,
        )  # fmt: skip


def _rejection(chosen_on: HeldOut, loses: float, *, trained: bool) -> Rejection:
    """The thresholds that pictures offer, and the one that loses at most a part, or the fewest."""
    known, scores = chosen_on.labels != BACKGROUND, energy(chosen_on.logits)
    points = operating_points(scores[known], scores[~known])
    if points[0].loses > loses:
        log.warning(
            "with so few validation pictures, the lowest threshold is expected to call %.1f %% of "
            "the classes' pictures %s; more pictures would promise less",
            100 * points[0].loses, NEITHER,
        )  # fmt: skip
    offered = unchosen(trained=trained).model_copy(update={"points": points})
    threshold = offered.losing(max(loses, points[0].loses))
    return offered.model_copy(update={"threshold": threshold})


def _named(split: str) -> str:
    return f"{split} split of its training table"


def first_alike(paths: Sequence[str]) -> NDArray[np.bool_]:
    """Which of N pictures are the first of those that look alike [N]."""
    groups = group_near_duplicates(hash_files(paths))
    first = np.zeros(len(groups), dtype=bool)
    first[np.unique(groups, return_index=True)[1]] = True
    return first
