"""Why: which places of a picture spoke for a class, and how much."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawsight.images.decode import DEFAULT_LIMITS, Limits, Pixels
from pawsight.images.preprocess import Preprocessing, seen_box
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from pawsight.inference.reading import Picture, as_sent
from pawsight.inference.session import Tensor
from pawsight.labels import NEITHER

_FOR = np.array([220, 60, 30], dtype=np.float32)
_AGAINST = np.array([40, 90, 210], dtype=np.float32)
_STRONGEST = 0.6  # how much of the picture the strongest place covers

Method: TypeAlias = Literal["class activation map", "occlusion"]

GRID: Final = 7
"""Squares a side in occlusion: of 32 pixels in a picture of 224, four patches of a ViT/16."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model answered about a picture, and where it comes from.

    Attributes:
        prediction: The answer; it says which network named the class, and that one is explained.
        label: The class that is explained.
        logit: Of that class.
        places: float32 [h, w]. By class activation map what each place contributes: the average is
            the logit. By occlusion how far the logit falls when a grey square covers the place
            alone: these are no parts of the logit and add up to nothing, as what is covered may be
            said again, or contradicted, elsewhere. Rows and columns lie over the preprocessed
            picture.
        method: How the places were found.
        preprocessing: Says which part of the picture the places lie over.
        reach: How far the rows and the columns reach, as parts of the preprocessed picture's height
            and width: more than 1 where the last of them lies partly outside.
    """

    prediction: Prediction
    label: str
    logit: float
    places: NDArray[np.float32]
    method: Method = "class activation map"
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    reach: tuple[float, float] = (1.0, 1.0)

    def overlay(self, pixels: Pixels) -> Pixels:
        """Colour a picture by its places: red speaks for the class, blue against.

        What a crop keeps from the network stays as it is.

        Args:
            pixels: RGB uint8 [H, W, 3], the whole picture.

        Returns:
            uint8 [H, W, 3].
        """
        box = seen_box(pixels.shape[0], pixels.shape[1], self.preprocessing)
        left, top, right, bottom = (round(side) for side in box)
        wide, high = max(right - left, 1), max(bottom - top, 1)
        size = (max(round(wide * self.reach[1]), 1), max(round(high * self.reach[0]), 1))
        grown = np.asarray(Image.fromarray(self.places).resize(size, Image.Resampling.BICUBIC))
        grown = grown[:high, :wide]
        strength = np.zeros(pixels.shape[:2], dtype=np.float32)
        seen = strength[top : top + grown.shape[0], left : left + grown.shape[1]]
        strongest = max(float(np.abs(self.places).max()), 1e-6)
        seen[:] = np.clip(grown / strongest, -1, 1)[: seen.shape[0], : seen.shape[1]]
        cover = np.abs(strength)[:, :, None] * _STRONGEST
        colour = np.where(strength[:, :, None] > 0, _FOR, _AGAINST)
        return np.rint(pixels * (1 - cover) + colour * cover).astype(np.uint8)


def explain(
    model: Model,
    picture: Picture,
    label: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Explanation:
    """Explain an answer: by the network's class activation map, else by occlusion.

    A network that ends in a linear layer over places has a map of what each contributes (Zhou et
    al. 2016), in one pass. Any other is asked once more for each of :data:`GRID` × :data:`GRID`
    squares, with the square grey (Zeiler and Fergus 2014).

    Of a cascade, the member that named the class is explained.

    Args:
        model: The model.
        picture: The picture.
        label: The class to explain; by default the most probable one.
        limits: What the picture may cost.

    Raises:
        ModelError: The model has no such class.
        ImageError: The picture cannot be used.
    """
    labels = model.card.labels
    if label is not None and label not in labels:
        none = ", which is said where no class is seen" if label == NEITHER else ""
        raise ModelError(f"the model has no class {label!r}{none}; it has {', '.join(labels)}")
    picture = as_sent(picture, limits)  # it is read twice
    prediction = model.predict(picture, limits)
    [classifier] = [each for each in model.members if each.reference == prediction.decided_by]
    labels = classifier.card.labels
    batch = classifier.tensor([classifier.read(picture, limits)])
    class_map: Tensor | None = None
    if classifier.has_class_map:
        logits, class_map = classifier.run_with_map(batch)
    else:
        logits = classifier.run(batch).logits
    chosen = label or max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    number = labels.index(chosen)
    logit, how = float(logits[0, number]), classifier.card.preprocessing
    if class_map is not None:
        places = class_map[0, number]
        reach = (reach_of(places.shape[0], how.height), reach_of(places.shape[1], how.width))
        return Explanation(prediction, chosen, logit, places, "class activation map", how, reach)
    places = logit - _logits_without(classifier, batch[0])[:, :, number]
    return Explanation(prediction, chosen, logit, places, "occlusion", how)


def reach_of(places: int, side: int) -> float:
    """How far the rows or columns of a class map reach, as a part of the picture's side.

    Networks that halve their maps keep an odd last row, or leave it out: 7 rows of 32 pixels reach
    beyond a side of 200, and 6 of them not to its end.
    """
    halvings = max(round(math.log2(side / places)), 0)
    if places in (side >> halvings, -(-side >> halvings)):
        return float(places << halvings) / side
    return 1.0


def _logits_without(classifier: Classifier, pixels: Tensor) -> Tensor:
    """Logits float32 [GRID, GRID, C] of a preprocessed picture with one place grey at a time.

    Grey is the mean colour that normalisation makes 0.
    """
    rows = np.linspace(0, pixels.shape[1], GRID + 1).astype(int)
    columns = np.linspace(0, pixels.shape[2], GRID + 1).astype(int)
    logits = []
    for top, bottom in itertools.pairwise(rows):
        covered = np.repeat(pixels[None], GRID, axis=0)
        for each, (left, right) in zip(covered, itertools.pairwise(columns), strict=True):
            each[:, top:bottom, left:right] = 0
        logits.append(classifier.run(covered).logits)
    return np.stack(logits)
