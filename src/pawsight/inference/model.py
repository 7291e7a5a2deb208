"""Model: what can be asked about pictures, be it one network or a cascade of two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

from pawsight.images.decode import DEFAULT_LIMITS, Limits, Pixels
from pawsight.images.errors import ImageError
from pawsight.inference.artifact import Described, Folder
from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.inference.reading import Picture, Read, read_ahead

if TYPE_CHECKING:
    from pawsight.inference.classifier import Classifier

AnyPicture = TypeVar("AnyPicture", bound=Picture)


class Ask(NamedTuple):
    """A question to a network.

    Attributes:
        network: That is asked.
        picture: uint8 [height, width, 3], resized for it.
    """

    network: Classifier
    picture: Pixels


Steps: TypeAlias = "Generator[Ask, Prediction, Prediction]"
"""The way to the answer about one picture, halting at each network that has to be asked.

It is sent that network's answer, and ends with the model's. So whoever goes it decides when the
networks run: pictures of several models can share their batches.
"""


class Model(Protocol):
    """What the service, the command line, evaluation and explaining need of a model.

    Attributes:
        reference: Names it in its answers.
        threads: Of its networks.
        threshold: A picture that scores lower is called ``neither``.
    """

    reference: ModelReference
    threads: int
    threshold: float

    @property
    def folder(self) -> Folder[Any]:
        """Where it lies."""

    @property
    def card(self) -> Described:
        """What its folder says of it."""

    @property
    def members(self) -> tuple[Classifier, ...]:
        """The networks that decide: the only one, or the fast one and the strong one."""

    @property
    def size(self) -> int:
        """Of all files that it needs, in bytes."""

    @property
    def knows_thresholds(self) -> bool:
        """Whether there are thresholds to choose from."""

    def choose_threshold(self, may_lose: float) -> None:
        """Call pictures ``neither`` as soon as this loses at most the given part of the classes'.

        Args:
            may_lose: In [0, 1]; 0 never answers ``neither``.

        Raises:
            ModelError: No threshold is known that loses so little.
        """

    @overload
    def predict(self, pictures: Picture, limits: Limits = ...) -> Prediction: ...
    @overload
    def predict(
        self, pictures: list[AnyPicture] | tuple[AnyPicture, ...], limits: Limits = ...
    ) -> list[Prediction]: ...

    def predict_each(
        self, pictures: Iterable[Picture], limits: Limits = DEFAULT_LIMITS
    ) -> Iterator[Prediction | ImageError | OSError]:
        """Classify many pictures; one that cannot be used yields its error in its place."""

    def steps(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Steps:
        """Classify one picture, asking networks by way of who goes these steps.

        The first step reads the picture.

        Raises:
            ImageError: From the first step: it cannot be used.
            OSError: Likewise: its file cannot be read.
        """


class Predicting(ABC, Generic[Read]):
    """Reads pictures and answers: alone, or in batches whose pictures are read ahead."""

    threads: int

    @abstractmethod
    def read(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Read:
        """Decode a picture and bring it into the form that the model takes.

        Raises:
            ImageError: It cannot be used.
            OSError: Its file cannot be read.
        """

    @abstractmethod
    def answer(self, pictures: Sequence[Read]) -> list[Prediction]:
        """Answer about pictures that were read, one or more, in their order."""

    @overload
    def predict(self, pictures: Picture, limits: Limits = ...) -> Prediction: ...
    @overload
    def predict(
        self, pictures: list[AnyPicture] | tuple[AnyPicture, ...], limits: Limits = ...
    ) -> list[Prediction]: ...

    def predict(
        self,
        pictures: Picture | list[AnyPicture] | tuple[AnyPicture, ...],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Prediction | list[Prediction]:
        """Classify one picture, or many in the order given.

        Args:
            pictures: One, or a list or tuple of them.
            limits: What a picture may cost.

        Raises:
            ImageError: A picture cannot be used; among many, the first such.
            OSError: A file cannot be read.
        """
        if not isinstance(pictures, list | tuple):
            return self.answer([self.read(pictures, limits)])[0]
        answers: list[Prediction] = []
        for answer in self.predict_each(pictures, limits):
            if isinstance(answer, Exception):
                raise answer
            answers.append(answer)
        return answers

    def predict_each(
        self, pictures: Iterable[Picture], limits: Limits = DEFAULT_LIMITS
    ) -> Iterator[Prediction | ImageError | OSError]:
        """Classify many pictures; one that cannot be used yields its error in its place.

        Pictures are decoded by threads, a few batches ahead of the network; the iterable is read
        no faster than that.
        """
        for read in read_ahead(lambda each: self.read(each, limits), pictures, self.threads):
            good = [each for each in read if not isinstance(each, Exception)]
            answers = iter(self.answer(good) if good else ())
            for each in read:
                if isinstance(each, Exception):
                    yield cast("ImageError | OSError", each)
                else:
                    yield next(answers)
