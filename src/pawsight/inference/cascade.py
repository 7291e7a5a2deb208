"""Cascade: a fast model first, and a strong one only where the fast one is unsure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from pawsight.images.decode import DEFAULT_LIMITS, Limits, Pixels
from pawsight.images.preprocess import Preprocessing, resize
from pawsight.inference.cascade_card import CascadeCard, CascadeFolder, Choice
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.inference.model import Ask, Predicting, Steps
from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.inference.reading import Picture, read_image
from pawsight.labels import NEITHER

_KEPT: Final = 2 * 1024 * 1024
"""Bytes that a picture may have to wait as it is for what the fast model answers."""
_BYTES_A_PIXEL: Final = 4  # in Pillow


@dataclass(frozen=True, eq=False)
class Views:
    """One picture as the fast member takes it, and what the strong one's view is made of.

    Attributes:
        fast: uint8 [h, w, 3], resized for the fast one.
        kept: The whole picture; or the strong one's view, uint8 [H, W, 3], where that is the same
            as the fast one's, or the picture is too large to wait.
        how: The strong one's preprocessing.
    """

    fast: Pixels
    kept: Image.Image | Pixels
    how: Preprocessing

    def strong(self) -> Pixels:
        """uint8 [H, W, 3], resized for the strong one: made here, as it is seldom asked."""
        return resize(self.kept, self.how) if isinstance(self.kept, Image.Image) else self.kept


class Cascade(Predicting[Views]):
    """Two models that answer as one.

    Where the strong one is asked, it names the class. Whether the picture shows any is told by the
    mean of both scores: they err on different pictures.

    Args:
        folder: Says when the strong model is asked.
        fast: The model that is asked first.
        strong: The one that is asked where the fast one is unsure.
        name: What the answers call the cascade; by default its card's name.
        source: Where it comes from, for the answers.
        may_lose: The part of pictures of the classes that may be called ``neither``, in [0, 1], in
            place of the card's choice; 0 never answers ``neither``.

    Attributes:
        choice: The thresholds that hold.
        threshold: Pictures that score lower are called ``neither``. It is 0, as a score is how far
            that of the fast member, or the mean of both, lies above the one below which ``neither``
            is said here; or -inf where nothing is to be called so.

    Raises:
        ModelError: The card knows no thresholds that lose so little.
    """

    def __init__(
        self,
        folder: CascadeFolder,
        fast: Classifier,
        strong: Classifier,
        *,
        name: str | None = None,
        source: str = "local",
        may_lose: float | None = None,
    ) -> None:
        self.folder = folder
        self.fast = fast
        self.strong = strong
        self.reference = ModelReference(name or folder.card.name, folder.version, source)
        self.threads = fast.threads
        self.threshold = 0.0
        self.choice: Choice = folder.card.choice
        if may_lose is not None:
            self.choose_threshold(may_lose)

    @property
    def card(self) -> CascadeCard:
        """The cascade's card."""
        return self.folder.card

    @property
    def members(self) -> tuple[Classifier, ...]:
        """The fast model and the strong one."""
        return self.fast, self.strong

    @property
    def size(self) -> int:
        """Of its folder and its members' folders in bytes."""
        return self.folder.size + sum(each.size for each in self.members)

    @property
    def knows_thresholds(self) -> bool:
        """Whether the card has thresholds to choose from."""
        return any(each.may_lose is not None for each in self.card.choices)

    def choose_threshold(self, may_lose: float) -> None:
        """Call pictures ``neither`` as soon as this loses at most the given part of the classes'.

        Args:
            may_lose: In [0, 1]; 0 never answers ``neither``.

        Raises:
            ModelError: The card knows no thresholds that lose so little.
        """
        if may_lose == 0:
            self.choice, self.threshold = self.card.choice, -math.inf
            return
        try:
            self.choice, self.threshold = self.card.losing(may_lose), 0.0
        except ValueError as error:
            raise ModelError(f"model {self.card.name!r}: {error}") from error

    def read(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Views:
        """Decode one picture, once for both members, and bring it into the form of the fast one."""
        fast, strong = (each.card.preprocessing for each in self.members)
        (height, width), (rows, columns) = fast.decode_size, strong.decode_size
        image = read_image(picture, (max(height, rows), max(width, columns)), limits)
        view = resize(image, fast)
        if fast == strong:
            return Views(view, view, strong)
        waits = _BYTES_A_PIXEL * image.width * image.height <= _KEPT
        return Views(view, image if waits else resize(image, strong), strong)

    def answer(self, pictures: Sequence[Views]) -> list[Prediction]:
        """Answer about pictures that were read: the strong model sees the unsure ones alone."""
        return self.decide(
            self.fast.answer([views.fast for views in pictures]),
            lambda unsure: self.strong.answer([pictures[place].strong() for place in unsure]),
        )

    def steps(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Steps:
        """Classify one picture, asking the members by way of who goes these steps."""
        views = self.read(picture, limits)
        first = yield Ask(self.fast, views.fast)
        if self._is_sure(first):
            return self._alone(first)
        second = yield Ask(self.strong, views.strong())
        return self._together(first, second)

    def decide(
        self,
        first: Sequence[Prediction],
        ask: Callable[[Sequence[int]], Sequence[Prediction]],
    ) -> list[Prediction]:
        """Keep what the fast model is sure of, and ask the strong one about the rest.

        Args:
            first: The fast model's answers about N pictures.
            ask: Gives the strong model's answers about the pictures of these numbers; is called
                once, or never.
        """
        sure = [self._is_sure(each) for each in first]
        unsure = [place for place, each in enumerate(sure) if not each]
        second = dict(zip(unsure, ask(unsure), strict=True)) if unsure else {}
        return [
            self._together(answer, second[place]) if place in second else self._alone(answer)
            for place, answer in enumerate(first)
        ]

    def _is_sure(self, answer: Prediction) -> bool:
        choice = self.choice
        if answer.score < choice.reject:
            return self.threshold == 0  # else nothing is to be called neither
        return answer.score >= choice.accept and answer.confidence >= choice.confidence

    def _alone(self, answer: Prediction) -> Prediction:
        """The fast member's answer as the cascade's."""
        return self._concluded(answer, answer.score - self.choice.reject)

    def _together(self, first: Prediction, second: Prediction) -> Prediction:
        """What the cascade answers where both were asked."""
        weight = self.choice.weight
        score = weight * first.score + (1 - weight) * second.score
        return self._concluded(second, score - self.choice.reject_together)

    def _concluded(self, answer: Prediction, score: float) -> Prediction:
        """A member's answer as the cascade's, with its score."""
        shares = {label: answer.probabilities[label] for label in self.card.labels}
        best = max(shares, key=shares.__getitem__)
        return Prediction(
            label=best if score >= self.threshold else NEITHER,
            confidence=shares[best],
            probabilities=shares,
            score=score,
            model=self.reference,
            decided_by=answer.decided_by,
        )
