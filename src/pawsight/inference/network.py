"""Network: a model folder's network in ONNX Runtime, proved on the golden pictures."""

from __future__ import annotations

import logging
import math
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pawsight.inference.artifact import (
    NETWORK_FILE,
    QUANTISED_FILE,
    Card,
    ModelFolder,
    Quantised,
)
from pawsight.inference.errors import BrokenModel, ModelError

Tensor: TypeAlias = NDArray[np.float32]

Precision: TypeAlias = Literal["float32", "int8"]

CPU: Final = "CPUExecutionProvider"
_PROVIDER: Final = "ExecutionProvider"

_FILES: Final[dict[Precision, str]] = {"float32": NETWORK_FILE, "int8": QUANTISED_FILE}

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
        golden: Its golden pictures, preprocessed: float32 [G, 3, h, w].
        threads: That compute.
        precision: This one or none; by default the fastest that the folder has.
        provider: ONNX Runtime's execution provider that has to run it.
        for_many: Whether there is to be a second session of one thread, for batches that are not
            alone: side by side, each on its own processor, they are done sooner.

    Attributes:
        precision: In which it computes.

    Raises:
        BrokenModel: ONNX Runtime cannot load it, or a golden picture is answered otherwise.
        ModelError: The folder has no network of that precision, or the provider does not work here.
    """

    precision: Precision

    def __init__(
        self,
        folder: ModelFolder,
        golden: Tensor,
        threads: int,
        precision: Precision | None = None,
        provider: str = CPU,
        *,
        for_many: bool = False,
    ) -> None:
        self._folder = folder
        self._provider = provider
        self._open_networks(golden, threads, precision)
        self._side = self._session
        if for_many and threads > 1 and provider == CPU:
            self._side = _session(folder, _FILES[self.precision], 1, provider)

    def _open_networks(self, golden: Tensor, threads: int, precision: Precision | None) -> None:
        folder = self._folder
        quantised = folder.card.quantised
        if precision == "int8" and not quantised:
            raise ModelError(f"{_name(folder)} has no network in int8, only in float32")
        if quantised and precision != "float32":
            try:
                self._open("int8", threads)
                self._verify(quantised, golden)
            except BrokenModel as error:
                if precision == "int8":
                    raise
                log.warning("%s; it is served in float32, which is slower", error)
            else:
                return
        self._open("float32", threads)
        self._verify(folder.card, golden)

    def _open(self, precision: Precision, threads: int) -> None:
        self.precision = precision
        self._session = _session(self._folder, _FILES[precision], threads, self._provider)

    @property
    def provider(self) -> str:
        """ONNX Runtime's execution provider that really runs it."""
        return str(self._session.get_providers()[0])

    @property
    def has_class_map(self) -> bool:
        """Whether it says what each place contributes to its logits."""
        return "class_map" in {each.name for each in self._session.get_outputs()}

    def run(self, batch: Tensor, *, alone: bool = True) -> Outputs:
        """Logits and features of float32 [N, 3, h, w].

        Args:
            batch: The pictures.
            alone: Whether the processors have nothing else to do.
        """
        session = self._session if alone else self._side
        logits, features = session.run(["logits", "features"], {"pixel_values": batch})
        return Outputs(logits, features)

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
        logits, class_map = self._session.run(["logits", "class_map"], {"pixel_values": batch})
        return logits, class_map

    def _verify(self, proof: Card | Quantised, golden: Tensor) -> None:
        labels, name = self._folder.card.labels, _name(self._folder)
        tolerance = proof.golden_tolerance
        for answer, logits in zip(proof.golden, self._golden_logits(golden), strict=True):
            if len(logits) != len(labels):
                raise BrokenModel(
                    f"{name}: the network has {len(logits)} outputs for {len(labels)} labels"
                )
            for label, logit in zip(labels, logits.tolist(), strict=True):
                expected = answer.logits[label]
                if not math.isclose(logit, expected, rel_tol=0, abs_tol=tolerance):
                    raise BrokenModel(
                        f"{name} does not answer as it was trained to: on {answer.file} the logit "
                        f"of {label!r} is {logit:.4f} in {self.precision} and should be "
                        f"{expected:.4f} (± {tolerance:g}). Labels, preprocessing or weights "
                        "differ from those of training, or this runtime computes wrongly"
                    )

    def _golden_logits(self, golden: Tensor) -> Tensor:
        try:
            return self.run(golden).logits
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise BrokenModel(
                f"{_name(self._folder)}: the network does not take pictures of "
                f"{golden.shape[2]}×{golden.shape[3]}"
            ) from error


def _name(folder: ModelFolder) -> str:
    return f"model folder {folder.path.name!r}"


def known_provider(name: str) -> str:
    """ONNX Runtime's name of an execution provider that is here.

    Args:
        name: The same name, or its beginning: ``cpu``, ``cuda``.

    Raises:
        ModelError: It is not here.
    """
    there: dict[str, str] = {
        each.removesuffix(_PROVIDER).lower(): each for each in onnxruntime.get_available_providers()
    }
    asked = name.lower().removesuffix(_PROVIDER.lower())
    if asked not in there:
        raise ModelError(
            f"no execution provider {name[:80]!r}: this ONNX Runtime has {', '.join(there)}; those "
            "of GPUs come with packages like onnxruntime-gpu, in the place of onnxruntime"
        )
    return there[asked]


def _session(
    folder: ModelFolder, file: str, threads: int, provider: str
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Its own heap keeps the most that any run has needed, once for each run at the same time.
    options.enable_cpu_mem_arena = False
    # ONNX Runtime's threads would else wait for their next work in a loop, on the processors that
    # pictures are decoded on (docs/performance.md).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [provider] if provider == CPU else [provider, CPU]
    try:
        session = onnxruntime.InferenceSession(folder.path / file, options, providers=providers)
    except Exception as error:
        raise BrokenModel(f"{_name(folder)}: ONNX Runtime cannot load {file}") from error
    # Where a GPU's driver or libraries are missing, ONNX Runtime says so to stderr and goes on.
    if session.get_providers()[0] != provider:
        raise ModelError(
            f"{_name(folder)} is not run by {provider} as asked for, which does not start here (is "
            f"its driver installed?), but by {session.get_providers()[0]}"
        )
    inputs = [each.name for each in session.get_inputs()]
    outputs = {each.name for each in session.get_outputs()}
    if inputs != ["pixel_values"] or not {"logits", "features"} <= outputs:
        raise BrokenModel(
            f"{_name(folder)}: the network must take 'pixel_values' and give 'logits' and "
            f"'features'; it takes {inputs} and gives {sorted(outputs)}"
        )
    return session
