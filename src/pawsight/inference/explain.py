"""Why: which places of a picture spoke for a class, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawsight.images.decode import Pixels
from pawsight.inference.classifier import Classifier, Picture
from pawsight.inference.errors import ModelError
from pawsight.inference.prediction import Prediction

_FOR = np.array([220, 60, 30], dtype=np.float32)
_AGAINST = np.array([40, 90, 210], dtype=np.float32)
_STRONGEST = 0.6  # how much of the picture the strongest place covers


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model answered about a picture, and where it comes from.

    Attributes:
        prediction: The answer.
        label: The class that is explained.
        logit: Of that class.
        places: float32 [h, w]: what each place contributes; the average is the logit. Rows and
            columns lie over the preprocessed picture.
    """

    prediction: Prediction
    label: str
    logit: float
    places: NDArray[np.float32]

    def overlay(self, pixels: Pixels) -> Pixels:
        """Colour a picture by what its places contributed: red speaks for the class, blue against.

        Args:
            pixels: RGB uint8 [H, W, 3], the whole picture.

        Returns:
            uint8 [H, W, 3].
        """
        size = (pixels.shape[1], pixels.shape[0])
        grown = Image.fromarray(self.places).resize(size, Image.Resampling.BICUBIC)
        strength = np.asarray(grown) / max(float(np.abs(self.places).max()), 1e-6)
        strength = np.clip(strength, -1, 1)[:, :, None]
        cover = np.abs(strength) * _STRONGEST
        colour = np.where(strength > 0, _FOR, _AGAINST)
        return np.rint(pixels * (1 - cover) + colour * cover).astype(np.uint8)


def explain(classifier: Classifier, picture: Picture, label: str | None = None) -> Explanation:
    """Explain an answer by the network's class activation map (Zhou et al. 2016), in one pass.

    Args:
        classifier: The model.
        picture: The picture.
        label: The class to explain; by default the most probable one.

    Raises:
        ModelError: The model has no such class, or its network does not end in a linear layer over
            places, so that there is no map that adds up.
        ImageError: The picture cannot be used.
    """
    labels = classifier.card.labels
    if label is not None and label not in labels:
        raise ModelError(f"the model has no class {label!r}; it has {', '.join(labels)}")
    logits, class_map = classifier.run_with_map(classifier.read(picture)[None])
    [prediction] = classifier.conclude(logits)
    chosen = label or max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    number = labels.index(chosen)
    return Explanation(prediction, chosen, float(logits[0, number]), class_map[0, number])
