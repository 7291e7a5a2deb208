"""A model that is corrected by what people said, and held against the one before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.duplicates import group_near_duplicates, hash_files
from pawsight.evaluation.evaluate import Evaluation, evaluate
from pawsight.evaluation.metrics import mcnemar
from pawsight.inference.artifact import NETWORK_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.labels import BACKGROUND, NEITHER, numbers_of
from pawsight.training.against import RECIPE_KEY, AgainstBefore
from pawsight.training.background import read_background
from pawsight.training.calibrate import calibrate
from pawsight.training.features import Features, Look, extract, mirrored
from pawsight.training.folder import write_card
from pawsight.training.graft import read_head
from pawsight.training.headed import refuse_taken, removed_if_refused, write_headed
from pawsight.training.refit import Anchors, refit_head
from pawsight.training.run import RunError

log = logging.getLogger(__name__)

_ANCHORS: Final = 800  # of the table's training pictures, where a folder carries no features


def refuse_none(corrections: pd.DataFrame) -> None:
    """Make sure that there are any.

    Raises:
        RunError: There are none.
    """
    if corrections.empty:
        raise RunError("there is nothing to learn: no corrections with their pictures")


def correct(
    corrections: pd.DataFrame,
    table: pd.DataFrame,
    start: ModelFolder,
    output: Path,
    *,
    name: str,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> AgainstBefore:
    """Make a model folder of a trained one and of corrections, and compare the two.

    The network stays as it is up to its features; its head is refitted near the old one
    (:func:`~pawsight.training.refit.refit_head`). What is not to be forgotten are the features that
    the folder carries (``background.npy``) or, where it carries none, those of some of the table's
    training pictures. Thresholds are chosen on the table's validation split, and both models are
    asked about its test split; pictures there that look like a correction are left out.

    Args:
        corrections: ``path`` and ``label``: of the model's classes, or ``neither``.
        table: ``path``, ``label`` and ``split``.
        start: The model to correct.
        output: The folder to write.
        name: For the card.
        seed: Of the folds.
        progress: Called with the number of pictures looked at after each step.

    Raises:
        RunError: There are no corrections, or nothing to hold the new model against; the table has
            other classes than the model; or ``output`` holds a model or a training.
        ModelError: The model to start from is broken.
        ExportError: Its network ends otherwise than in a linear layer.
    """
    refuse_taken(output)
    refuse_none(corrections)
    labels = start.card.labels
    if others := sorted(set(table["label"]) - {*labels, NEITHER}):
        raise RunError(
            f"the table has labels that {start.card.name} does not know: {', '.join(others)}; it "
            f"knows {', '.join(labels)}, and can only be judged by a table of these and {NEITHER}"
        )
    parent = Classifier(start, precision="float32")
    old = read_head(start.path / NETWORK_FILE)
    paths = corrections["path"].tolist()
    groups, table = _apart(corrections, table)
    for split in ("validation", "test"):
        if not (table.loc[table["split"] == split, "label"] != NEITHER).any():
            raise RunError(
                f"the table has no {split} pictures of a class that look like no correction: "
                "thresholds are chosen on the ones and models compared on the others"
            )
    if not start.card.rejection.trained and NEITHER in set(corrections["label"]):
        log.warning("%s never learned what is %s: it cannot be taught that by corrections",
                    start.card.name, NEITHER)  # fmt: skip
    wanted = corrections["label"].map(numbers_of(labels)).to_numpy(dtype=np.int64, copy=True)
    fitted = refit_head(
        old,
        extract([Look(parent), Look(parent, mirrored)], paths, progress=progress),
        wanted,
        groups,
        Anchors(
            _anchors(parent, table, seed, progress),
            start.card.rejection.trained,
        ),
        seed=seed,
    )
    learned = corrections.assign(split="train")[["path", "label", "split"]]
    judged = table.loc[table["split"] != "train", ["path", "label", "split"]]
    fit_on = pd.concat([learned, judged], ignore_index=True)
    recipe: dict[str, Any] = {
        "head": "refitted by corrections",
        "corrections": len(corrections),
        **fitted.recipe,
    }
    with removed_if_refused(output):
        folder = write_headed(
            parent,
            fitted.head,
            output,
            name=name,
            labels=labels,
            table=fit_on,
            recipe=recipe,
            seed=seed,
            trained=start.card.rejection.trained,
        )
        folder = calibrate(folder, fit_on, progress)
        comparison = _compare(start, folder, corrections, table, progress)
        recipe[RECIPE_KEY] = asdict(comparison) | {"worse": comparison.worse}
        origin = folder.card.provenance.model_copy(update={"recipe": recipe})
        write_card(folder.path, folder.card.model_copy(update={"provenance": origin}))
        return comparison


def _apart(
    corrections: pd.DataFrame, table: pd.DataFrame
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Which corrections look alike [N], and the table without what looks like one of them."""
    judged = table["split"] != "train"
    mine, theirs = corrections["path"].tolist(), table.loc[judged, "path"].tolist()
    groups = group_near_duplicates(hash_files([*mine, *theirs])).astype(np.int64)
    alike = pd.Series(data=False, index=table.index)
    alike.loc[judged] = np.isin(groups[len(mine) :], groups[: len(mine)])
    return groups[: len(mine)], table.loc[~alike]


def _anchors(
    parent: Classifier, table: pd.DataFrame, seed: int, progress: Callable[[int], None] | None
) -> Features:
    stored = read_background(parent.folder)
    if stored is not None:
        return stored
    training = table.loc[table["split"] == "train", "path"]
    if training.empty:
        raise RunError(
            f"{parent.folder.card.name} carries no features of what it was trained on, and the "
            "table has no training rows in their place: it would forget"
        )
    some = training.sample(min(_ANCHORS, len(training)), random_state=seed).tolist()
    return extract([Look(parent)], some, progress=progress)[:, 0]


def _compare(
    start: ModelFolder,
    folder: ModelFolder,
    corrections: pd.DataFrame,
    table: pd.DataFrame,
    progress: Callable[[int], None] | None,
) -> AgainstBefore:
    test = table.loc[table["split"] == "test"]

    def right(model: Classifier, rows: pd.DataFrame) -> NDArray[np.bool_]:
        paths, labels = rows["path"].tolist(), rows["label"].tolist()
        return _decided_rightly(evaluate(model, paths, labels, data="", progress=progress))

    before, now = Classifier(start), Classifier(folder)
    old, new = right(before, test), right(now, test)
    return AgainstBefore(
        pictures=len(test),
        fixed=int((new & ~old).sum()),
        broken=int((old & ~new).sum()),
        p_value=mcnemar(old, new),
        corrections=len(corrections),
        right_before=int(right(before, corrections).sum()),
        right_now=int(right(now, corrections).sum()),
    )


def _decided_rightly(evaluation: Evaluation) -> NDArray[np.bool_]:
    decided = np.where(evaluation.rejected, BACKGROUND, evaluation.answers)
    rightly: NDArray[np.bool_] = decided == evaluation.labels
    return rightly
