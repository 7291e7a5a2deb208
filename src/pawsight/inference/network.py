"""Network: a model folder's network, run by what does it fastest and proved on golden pictures."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Pixels
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.inference.artifact import (
    NETWORK_FILE,
    QUANTISED_FILE,
    GoldenAnswer,
    ModelFolder,
)
from pawsight.inference.errors import BrokenModel, ModelError
from pawsight.inference.runtimes import open_session
from pawsight.inference.session import CPU, OPENVINO, Precision, Session, Tensor

_ANSWER: Final = ("logits", "features")

_FILES: Final[dict[Precision, str]] = {"float32": NETWORK_FILE, "int8": QUANTISED_FILE}

_ROUNDED_ELSEWHERE: Final = 0.5
"""By how much integers may move a logit in OpenVINO, from that of the float32 network.

It rounds at other places than ONNX Runtime: that the golden answers in int8 say nothing of.
"""

_LARGE: Final = 10_000_000
"""Bytes of a network that OpenVINO divides among processors nearly as well as they would share
batches, and takes long and much memory to prepare."""

log = logging.getLogger(__name__)


class Outputs(NamedTuple):
    """What the network gives for a batch.

    Attributes:
        logits: float32 [N, C].
        features: float32 [N, D].
    """

    logits: Tensor
    features: Tensor


class Network:
    """The network of a model folder, in the fastest arithmetic that is seen to answer rightly.

    Integer arithmetic goes wrong on some processors (their instructions saturate, or a kernel is
    mistaken): a folder's int8 network is used where it answers the golden pictures as the
    arithmetic prescribes, and its float32 network everywhere else.

    Args:
        folder: The model.
        golden: Its golden pictures, resized: uint8 [G, h, w, 3].
        threads: That compute.
        precision: This one or none; by default the fastest that the folder has.
        providers: What may run it, in the order in which they are tried.
        for_many: Whether there is to be a second session, for pictures that are not alone: side by
            side, each batch on its own processor, they are done sooner.

    Attributes:
        precision: In which it computes.
        provider: What really runs it: OpenVINO, or ONNX Runtime's execution provider.

    Raises:
        BrokenModel: It cannot be loaded, or a golden picture is answered otherwise.
        ModelError: The folder has no network of that precision, or the provider does not work here.
    """

    precision: Precision

    def __init__(
        self,
        folder: ModelFolder,
        golden: Pixels,
        threads: int,
        precision: Precision | None = None,
        providers: Sequence[str] = (CPU,),
        *,
        for_many: bool = False,
    ) -> None:
        self._folder = folder
        self._how = folder.card.preprocessing
        quantised = folder.card.quantised
        if precision == "int8" and not quantised:
            raise ModelError(f"{_name(folder)} has no network in int8, only in float32")
        precisions: list[Precision] = [precision] if precision else ["int8", "float32"]
        ways = [
            (each, provider)
            for each in precisions
            if quantised or each == "float32"
            for provider in providers
        ]
        self._open_first(ways, golden, threads)
        self._side: Session | None = None
        if for_many and threads > 1 and self._gains_side_by_side():
            # One more than processors, for while one waits for the interpreter's lock.
            lanes = threads + 1
            self._side = self._open(self.precision, self.provider, 1, lanes, self._how)
            self._verify(golden, alone=False)

    def _open_first(
        self, ways: Sequence[tuple[Precision, str]], golden: Pixels, threads: int
    ) -> None:
        """Open it in the first of some ways in which it answers rightly."""
        for place, (precision, provider) in enumerate(ways, start=1):
            try:
                self.precision, self.provider = precision, provider
                lanes = usable_cpus() if threads == 1 else 1  # whoever wants one thread has more
                self._session = self._open(precision, provider, threads, lanes)
                self._verify(golden)
            except BrokenModel as error:
                if place == len(ways):
                    raise
                log.warning("%s; it is served in %s by %s, if that does", error, *ways[place])
            else:
                return

    def _gains_side_by_side(self) -> bool:
        """Whether batches side by side are worth a second session."""
        if self.provider == OPENVINO:
            size = (self._folder.path / _FILES[self.precision]).stat().st_size
            return size < _LARGE
        return self.provider == CPU

    def _open(
        self,
        precision: Precision,
        provider: str,
        threads: int,
        lanes: int,
        how: Preprocessing | None = None,
    ) -> Session:
        file = self._folder.path / _FILES[precision]
        try:
            session = open_session(file, provider, threads, lanes, how)
        except ModelError:
            raise
        except Exception as error:  # the runtimes' exceptions have no common base
            raise BrokenModel(
                f"{_name(self._folder)}: {provider} cannot load {file.name}"
            ) from error
        inputs, outputs = list(session.inputs), sorted(session.outputs)
        if inputs != ["pixel_values"] or not {"logits", "features"} <= {*outputs}:
            raise BrokenModel(
                f"{_name(self._folder)}: the network must take 'pixel_values' and give 'logits' "
                f"and 'features'; it takes {inputs} and gives {outputs}"
            )
        return session

    @property
    def has_class_map(self) -> bool:
        """Whether it says what each place contributes to its logits."""
        return "class_map" in self._session.outputs

    def run(self, batch: Tensor) -> Outputs:
        """Logits and features of float32 [N, 3, h, w]."""
        return Outputs(*self._session.run(_ANSWER, batch))

    def look(self, pictures: Pixels, *, alone: bool = True) -> Outputs:
        """The same of pictures that are resized, and not yet normalised.

        Args:
            pictures: uint8 [N, h, w, 3].
            alone: Whether the processors have nothing else to do.
        """
        if alone or self._side is None:
            return self.run(normalise(pictures, self._how))
        return Outputs(*self._side.run(_ANSWER, pictures))

    def run_with_map(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, C], and what each place contributes to them [N, C, h, w].

        Raises:
            ModelError: The network has no class map.
        """
        if not self.has_class_map:
            raise ModelError(
                f"{_name(self._folder)} has no class map: it does not end in a linear layer over "
                "places"
            )
        logits, class_map = self._session.run(["logits", "class_map"], batch)
        return logits, class_map

    def _verify(self, golden: Pixels, *, alone: bool = True) -> None:
        labels, name = self._folder.card.labels, _name(self._folder)
        answers, tolerance = self._proof()
        for answer, logits in zip(answers, self._golden_logits(golden, alone=alone), strict=True):
            if len(logits) != len(labels):
                raise BrokenModel(
                    f"{name}: the network has {len(logits)} outputs for {len(labels)} labels"
                )
            for label, logit in zip(labels, logits.tolist(), strict=True):
                expected = answer.logits[label]
                if not math.isclose(logit, expected, rel_tol=0, abs_tol=tolerance):
                    raise BrokenModel(
                        f"{name} does not answer as it was trained to: on {answer.file} the logit "
                        f"of {label!r} is {logit:.4f} in {self.precision} by {self.provider} and "
                        f"should be {expected:.4f} (± {tolerance:g}). Labels, preprocessing or "
                        "weights differ from those of training, or this runtime computes wrongly"
                    )

    def _proof(self) -> tuple[tuple[GoldenAnswer, ...], float]:
        """The golden answers, and by how much a logit may differ from them."""
        card = self._folder.card
        if self.precision == "float32" or not card.quantised:
            return card.golden, card.golden_tolerance
        if self.provider == OPENVINO:
            return card.golden, _ROUNDED_ELSEWHERE
        return card.quantised.golden, card.quantised.golden_tolerance

    def _golden_logits(self, golden: Pixels, *, alone: bool) -> Tensor:
        try:  # one by one: OpenVINO takes time and memory for each size of batch that it meets
            return np.concatenate([self.look(each[None], alone=alone).logits for each in golden])
        except Exception as error:  # the runtimes' exceptions have no common base
            raise BrokenModel(
                f"{_name(self._folder)}: the network does not take pictures of "
                f"{golden.shape[1]}×{golden.shape[2]}"
            ) from error


def _name(folder: ModelFolder) -> str:
    return f"model folder {folder.path.name!r}"
