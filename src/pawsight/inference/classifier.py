"""Classifier: a model folder, loaded and asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from pawsight.cpus import usable_cpus
from pawsight.images.decode import DEFAULT_LIMITS, Limits, Pixels
from pawsight.images.errors import ImageError
from pawsight.images.files import named
from pawsight.images.preprocess import normalise, resize
from pawsight.inference.artifact import Card, ModelFolder
from pawsight.inference.errors import BrokenModel, ModelError
from pawsight.inference.model import Ask, Predicting, Steps
from pawsight.inference.network import Network, Outputs
from pawsight.inference.prediction import ModelReference, Prediction, conclude
from pawsight.inference.reading import Picture, read_ahead, read_image
from pawsight.inference.runtimes import chosen_providers
from pawsight.inference.session import Precision, Tensor


class Classifier(Predicting[Pixels]):
    """A trained model that answers about pictures.

    Loading verifies the folder: schema, digests, and the golden pictures, which are decoded,
    preprocessed and run, and must be answered as the trained network answered them.

    Args:
        folder: The model.
        name: What the answers call it; by default its card's name.
        source: Where it comes from, for the answers.
        threads: Of the network; by default all processors that the process may use.
        may_lose: The part of pictures of the classes that may be called ``neither``, in [0, 1], in
            place of the card's choice; 0 never answers ``neither``.
        precision: The arithmetic of the network; by default the fastest that the folder has and
            that answers the golden pictures rightly here.
        provider: What has to run it, by a name that
            :func:`~pawsight.inference.runtimes.chosen_providers` knows; by default OpenVINO, where
            that is installed, or else ONNX Runtime.
        for_many: Be ready to run several batches side by side, which needs its weights in memory
            once more.

    Attributes:
        threshold: Pictures that score lower are called ``neither``.

    Raises:
        BrokenModel: The network cannot be loaded, or a golden picture is answered
            otherwise.
        ModelError: The card knows no threshold that loses so little, the folder has no network of
            that precision, or the provider does not work here.
    """

    def __init__(
        self,
        folder: ModelFolder,
        *,
        name: str | None = None,
        source: str = "local",
        threads: int | None = None,
        may_lose: float | None = None,
        precision: Precision | None = None,
        provider: str | None = None,
        for_many: bool = False,
    ) -> None:
        self.folder = folder
        self.reference = ModelReference(name or folder.card.name, folder.version, source)
        self.threads = threads or usable_cpus()
        self.threshold = folder.card.rejection.threshold
        if may_lose is not None:
            self.choose_threshold(may_lose)
        self._network = Network(
            folder,
            self._golden(),
            self.threads,
            precision,
            chosen_providers(provider),
            for_many=for_many,
        )

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.folder.card

    @property
    def members(self) -> tuple[Classifier, ...]:
        """Itself: it decides alone."""
        return (self,)

    @property
    def size(self) -> int:
        """Of its folder in bytes."""
        return self.folder.size

    @property
    def knows_thresholds(self) -> bool:
        """Whether the card has thresholds to choose from."""
        return bool(self.card.rejection.points)

    def choose_threshold(self, may_lose: float) -> None:
        """Call pictures ``neither`` as soon as this loses at most the given part of the classes'.

        Args:
            may_lose: In [0, 1]; 0 never answers ``neither``.

        Raises:
            ModelError: The card knows no threshold that loses so little.
        """
        try:
            self.threshold = self.card.rejection.losing(may_lose)
        except ValueError as error:
            raise ModelError(f"model {self.card.name!r}: {error}") from error

    @property
    def provider(self) -> str:
        """What really runs the network: OpenVINO, or ONNX Runtime's execution provider."""
        return self._network.provider

    @property
    def precision(self) -> Precision:
        """The arithmetic in which the network really computes."""
        return self._network.precision

    @property
    def has_class_map(self) -> bool:
        """Whether the network says what each place contributes to its logits."""
        return self._network.has_class_map

    def logits(
        self, pictures: Iterable[Picture], progress: Callable[[int], None] | None = None
    ) -> Tensor:
        """The network's logits float32 [N, C] of many pictures, for measuring.

        Args:
            pictures: N pictures.
            progress: Called with the number of pictures after each batch.

        Raises:
            ImageError, OSError: A picture cannot be used; of a path, it is named.
        """
        return self.outputs(pictures, progress).logits

    def outputs(
        self, pictures: Iterable[Picture], progress: Callable[[int], None] | None = None
    ) -> Outputs:
        """The same with the network's features [N, D]; [0, 0] of no pictures."""
        logits: list[Tensor] = [np.empty((0, len(self.card.labels)), dtype=np.float32)]
        features: list[Tensor] = []
        for read in read_ahead(self._read_named, pictures, self.threads):
            good = []
            for each in read:
                if isinstance(each, Exception):
                    raise each
                good.append(each)
            seen = self.look(good)
            logits.append(seen.logits)
            features.append(seen.features)
            if progress:
                progress(len(good))
        nothing = np.empty((0, 0), dtype=np.float32)
        return Outputs(np.concatenate(logits), np.concatenate(features or [nothing]))

    def read(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Pixels:
        """Decode and resize one picture: uint8 [height, width, 3]."""
        how = self.card.preprocessing
        return resize(read_image(picture, how.decode_size, limits), how)

    def tensor(self, pictures: Sequence[Pixels]) -> Tensor:
        """What the network takes, float32 [N, 3, height, width], of pictures that were read."""
        return normalise(np.stack(pictures), self.card.preprocessing)

    def _read_named(self, picture: Picture) -> Pixels:
        with named(picture):
            return self.read(picture)

    def answer(self, pictures: Sequence[Pixels], *, alone: bool = True) -> list[Prediction]:
        """Answer about pictures that were read, each uint8 [height, width, 3].

        Args:
            pictures: A batch.
            alone: Whether the processors have nothing else to do.
        """
        return self.conclude(self.look(pictures, alone=alone).logits)

    def steps(self, picture: Picture, limits: Limits = DEFAULT_LIMITS) -> Steps:
        """Classify one picture, asking this network by way of who goes these steps."""
        return (yield Ask(self, self.read(picture, limits)))

    def look(self, pictures: Sequence[Pixels], *, alone: bool = True) -> Outputs:
        """Run the network on pictures that were read; ``alone`` as for :meth:`answer`."""
        return self._network.look(np.stack(pictures), alone=alone)

    def run(self, batch: Tensor) -> Outputs:
        """Run the network on float32 [N, 3, height, width]."""
        return self._network.run(batch)

    def run_with_map(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network: logits [N, C], and what each place contributes to them [N, C, h, w].

        Raises:
            ModelError: The network has no class map.
        """
        return self._network.run_with_map(batch)

    def conclude(self, logits: Tensor) -> list[Prediction]:
        """Calibrate logits float32 [N, C] and decide."""
        return conclude(
            logits,
            self.card.labels,
            temperature=self.card.temperature,
            threshold=self.threshold,
            model=self.reference,
        )

    def _golden(self) -> Pixels:
        """The golden pictures as the network takes them."""
        try:
            pictures = [self.read(self.folder.path / answer.file) for answer in self.card.golden]
        except (ImageError, OSError) as error:
            raise BrokenModel(
                f"model folder {self.folder.path.name!r}: a golden picture: {error}"
            ) from error
        return np.stack(pictures)
