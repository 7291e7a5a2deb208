"""Wrong labels: pictures that all the others speak against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import torch
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pawsight.data.duplicates import group_near_duplicates, hash_files
from pawsight.data.pictures import load_pictures
from pawsight.data.views import Teacher
from pawsight.images.preprocess import Preprocessing
from pawsight.plurals import counted

FOLDS: Final = 5
_BATCH: Final = 64
_REGULARISATION: Final = 0.01  # of 1,000 features on some thousand pictures


@dataclass(frozen=True)
class Doubt:
    """A picture whose label is probably wrong.

    Attributes:
        path: Its file.
        label: What the table says.
        suggestion: What the other pictures say.
        label_probability: Of the label, by a classifier that has not seen the picture, in [0, 1].
        suggestion_probability: Of the suggestion, likewise.
    """

    path: str
    label: str
    suggestion: str
    label_probability: float
    suggestion_probability: float


def audit(
    frame: pd.DataFrame,
    describe: Teacher,
    *,
    progress: Callable[[int], None] | None = None,
) -> list[Doubt]:
    """Find the labels that are probably wrong (Northcutt et al. 2021, *Confident learning*).

    Every picture is judged by a linear classifier on a trained network's outputs that was fitted
    without it and without those that look alike.

    Args:
        frame: ``path`` and ``label``, each label on :data:`FOLDS` pictures or more that do not look
            alike.
        describe: A network whose outputs describe a picture; one that has never seen the labels.
        progress: Called with the number of pictures after each step.

    Returns:
        The doubts, the worst first.

    Raises:
        ValueError: There are fewer than two labels, or a label on too few pictures; or a picture
            cannot be decoded.
        OSError: A picture cannot be read.
    """
    paths, labels = frame["path"].tolist(), frame["label"].tolist()
    classes, numbers = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError("labels can only be doubted where there are two or more")
    groups = group_near_duplicates(hash_files(paths))
    # Look-alikes are left out together: of too few, a fold would have none to be fitted to.
    counts = [len(np.unique(groups[numbers == each])) for each in range(len(classes))]
    if min(counts) < FOLDS:
        rarest = str(classes[int(np.argmin(counts))])
        raise ValueError(
            f"{rarest!r} is on {counted(min(counts), 'picture')} only, of look-alikes one: "
            f"doubting labels takes {FOLDS} or more of each"
        )
    features = _describe(paths, describe, progress)
    probabilities = _out_of_fold(features, numbers, groups)
    issues = find_label_issues(
        labels=numbers, pred_probs=probabilities, return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )  # fmt: skip
    best = probabilities.argmax(axis=1)
    return [
        Doubt(
            path=paths[row],
            label=labels[row],
            suggestion=str(classes[best[row]]),
            label_probability=float(probabilities[row, numbers[row]]),
            suggestion_probability=float(probabilities[row, best[row]]),
        )
        for row in issues
    ]


def _describe(
    paths: Sequence[str], describe: Teacher, progress: Callable[[int], None] | None
) -> NDArray[np.float32]:
    how = Preprocessing(height=describe.image_size, width=describe.image_size)
    rows = []
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        pixels = torch.from_numpy(load_pictures(batch, how)).permute(0, 3, 1, 2)
        rows.append(describe(pixels.float() / 255).numpy())
        if progress:
            progress(len(batch))
    return np.concatenate(rows)


def _out_of_fold(
    features: NDArray[np.float32],
    numbers: NDArray[np.intp],
    groups: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Probabilities of the classes [N, C], each row by a classifier that was fitted without it."""
    probabilities = np.empty((len(numbers), int(numbers.max()) + 1))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for fitted, held_out in folds.split(features, numbers, groups):
        classifier = make_pipeline(
            StandardScaler(), LogisticRegression(C=_REGULARISATION, max_iter=500)
        )
        classifier.fit(features[fitted], numbers[fitted])
        probabilities[held_out] = classifier.predict_proba(features[held_out])
    return probabilities
