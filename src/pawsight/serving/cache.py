"""Answers that were given already."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction


class Cache:
    """The latest answers, by what was asked: the picture's bytes and the model.

    Args:
        size: The most answers; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[str, Prediction] = OrderedDict()

    def tag(self, model: Model, digest: str | None) -> str | None:
        """What was asked in 32 hexadecimal digits, of a SHA-256; None where nothing is kept.

        Models with the same weights under other names, with other thresholds, or whose cards say
        otherwise what they mean, answer otherwise.

        Args:
            model: That is asked.
            digest: Of the picture's bytes; None where it is not known.
        """
        if digest is None or not self._size:
            return None
        asked = repr((digest, model.reference, model.threshold, model.card.seal))
        return hashlib.sha256(asked.encode()).hexdigest()[:32]

    def get(self, tag: str | None) -> Prediction | None:
        """The answer, if it is still kept."""
        if tag is None or tag not in self._answers:
            return None
        self._answers.move_to_end(tag)
        return self._answers[tag]

    def put(self, tag: str | None, answer: Prediction) -> None:
        """Keep an answer, and forget the one that was not asked for the longest time."""
        if tag is None:
            return
        self._answers[tag] = answer
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)
