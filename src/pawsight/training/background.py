"""Background: features of what is none of the classes, for whoever has no such pictures.

A model folder carries the features of some of the pictures that its network was trained on, of
``neither`` and of its classes, in ``background.npy``. A new head on the network's features learns
from them what is none of *its* classes (outlier exposure: Hendrycks et al. 2019, *Deep anomaly
detection with outlier exposure*).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from pawsight.inference.artifact import BACKGROUND_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.labels import NEITHER
from pawsight.training.discriminants import discriminants
from pawsight.training.features import Features, Look, extract
from pawsight.training.folder import digests

PICTURES: Final = 400
"""How many of ``neither``, and as many of all classes together, are kept at most."""

_SHRINKAGE: Final = 0.3
_FOLDS: Final = 5


def add_background(folder: ModelFolder, table: pd.DataFrame) -> ModelFolder:
    """Write ``background.npy``, float16 [B, D], into a folder, of pictures of its training split.

    Args:
        folder: The model.
        table: That it was trained on: ``path``, ``label`` and ``split``.

    Returns:
        The folder with its new card, which is yet to be written; the old one where training had no
        pictures of ``neither``, without which the classes' pictures are no background worth the
        name.
    """
    training = table.loc[table["split"] == "train"]
    is_neither = training["label"] == NEITHER
    if not is_neither.any():
        return folder
    chosen = [
        rows.sample(min(PICTURES, len(rows)), random_state=0)
        for rows in (training[is_neither], training[~is_neither])
    ]
    paths = pd.concat(chosen)["path"].tolist()
    views = extract([Look(Classifier(folder, precision="float32"))], paths)
    np.save(folder.path / BACKGROUND_FILE, views[:, 0].astype(np.float16), allow_pickle=False)
    files = folder.card.files | digests(folder.path, [BACKGROUND_FILE])
    return ModelFolder(folder.path, folder.card.model_copy(update={"files": files}))


def read_background(folder: ModelFolder) -> Features | None:
    """The background features float32 [B, D] of a folder; None where it carries none."""
    if BACKGROUND_FILE not in folder.card.files:
        return None
    kept = np.load(folder.path / BACKGROUND_FILE, allow_pickle=False)
    features: Features = kept.astype(np.float32)
    return features


def unlike(
    background: Features, features: Features, labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which background shows none of somebody's classes, as far as can be told.

    A background of all sorts may show the very things that somebody's classes are. What lies deeper
    in a class than half of the class's own pictures do, by :func:`discriminants`, is taken to show
    it; but nothing that lies nearer to the background, as of few pictures half may lie anywhere.

    Args:
        background: float32 [B, D].
        features: float32 [N, D], of pictures of the classes.
        labels: int64 [N], in [0, C), each of them at least once.

    Returns:
        [B]: what can be used.
    """
    fewest = int(np.bincount(labels).min())
    if fewest < 2:  # nothing could be left out: how deep its own lie cannot be told
        return np.ones(len(background), dtype=bool)
    own = np.zeros(len(labels))
    folds = StratifiedKFold(min(_FOLDS, fewest), shuffle=True, random_state=0)
    for fitted, left_out in folds.split(features, labels):
        weight, bias = discriminants(features[fitted], labels[fitted], background, _SHRINKAGE)
        ratios = features[left_out] @ weight.T + bias
        own[left_out] = ratios[np.arange(len(left_out)), labels[left_out]]
    usual = np.array([np.median(own[labels == each]) for each in range(int(labels.max()) + 1)])
    weight, bias = discriminants(features, labels, background, _SHRINKAGE)
    apart: NDArray[np.bool_] = np.all(background @ weight.T + bias < np.maximum(usual, 0), axis=1)
    return apart
