"""OpenVINOSession: a network in OpenVINO."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final

import numpy as np

from pawsight.images.decode import Pixels
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.openvino_cache import compiled
from pawsight.inference.session import Tensor

_REPORTING: Final = "openvino.tools.ovc"
_LOADING: Final = Lock()
_ROUNDING: Final = 0.05

log = logging.getLogger(__name__)


class OpenVINOSession:
    """A network in OpenVINO (:class:`~pawsight.inference.session.Session`).

    Args:
        file: The network, in ONNX.
        threads: That compute a batch.
        lanes: How many batches may be computed side by side, each by so many threads.
        how: By which pictures are normalised; None where tensors are given.

    Raises:
        RuntimeError: OpenVINO cannot load the file.
    """

    def __init__(
        self, file: Path, threads: int, lanes: int = 1, how: Preprocessing | None = None
    ) -> None:
        self._options = {
            "INFERENCE_NUM_THREADS": threads,
            # With one stream, the thread that asks computes; several would have threads of their
            # own, for which it waits. So each lane is a network of its own.
            "NUM_STREAMS": 1,
            # Pictures are decoded on the same processors.
            "ENABLE_CPU_PINNING": False,
            # Where the processor has bfloat16, OpenVINO would compute in it what is in floats, and
            # what each place contributes to a logit would not add up to it.
            "INFERENCE_PRECISION_HINT": "f32",
            # Weights that are stored in 8 bits are no reason to compute in 8 bits.
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        }
        network, made = compiled(_core(), file, self._options, how)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._idle.put(network.create_infer_request())
        # Of what further lanes are imported. A network that was itself imported cannot be exported.
        self._made = made if lanes > 1 else b""
        self._more = lanes - 1
        self._growing = Lock()
        self._alike: dict[int, bool] = {}
        self.inputs = tuple(each.get_any_name() for each in network.inputs)
        self.outputs = tuple(each.get_any_name() for each in network.outputs)

    def run(self, outputs: Sequence[str], batch: Tensor | Pixels) -> list[Tensor]:
        """Some outputs for a batch; waits for a free lane."""
        if len(batch) == 0:  # which OpenVINO refuses
            one = np.zeros((1, *batch.shape[1:]), dtype=batch.dtype)
            return [each[:0] for each in self._infer(outputs, one)]
        if len(batch) == 1 or self._answers_alike(batch):
            return self._infer(outputs, batch)
        alone = [self._infer(outputs, batch[number : number + 1]) for number in range(len(batch))]
        return [np.concatenate(each) for each in zip(*alone, strict=True)]

    def _answers_alike(self, batch: Tensor | Pixels) -> bool:
        """Whether a picture is answered in a batch of this size as it is alone.

        OpenVINO 2026.4 reduces one value a picture over the whole batch (ReduceLogSumExp), and may
        have more such faults. The last picture of the first batch of each size tells.
        """
        size = len(batch)
        if size not in self._alike:
            together = self._infer(self.outputs, batch)
            alone = self._infer(self.outputs, batch[-1:])
            self._alike[size] = all(
                np.allclose(one[-1:], other, rtol=_ROUNDING, atol=_ROUNDING)
                for one, other in zip(together, alone, strict=True)
            )
            if not self._alike[size]:
                log.warning("OpenVINO computes batches of %d wrongly: one by one instead", size)
        return self._alike[size]

    def _infer(self, outputs: Sequence[str], batch: Tensor | Pixels) -> list[Tensor]:
        import openvino  # which is there by now

        request = self._free()
        try:
            # Passing a dictionary takes a part of a small network's time that can be measured.
            given = openvino.Tensor(np.require(batch, requirements=["C", "W"]), shared_memory=True)
            request.set_input_tensor(given)
            request.infer(share_outputs=True)
            return [request.get_tensor(name).data.copy() for name in outputs]
        finally:
            self._idle.put(request)

    def _free(self) -> Any:  # noqa: ANN401 - OpenVINO has no types
        """An idle lane; else a new one, while there may be more; else the next that is idle."""
        try:
            return self._idle.get_nowait()
        except Empty:
            with self._growing:
                grows = self._more > 0
                self._more -= grows
        if not grows:
            return self._idle.get()
        # The same as what was proved, whatever is in its file by now.
        return _core().import_model(self._made, "CPU", self._options).create_infer_request()


def _core() -> Any:  # noqa: ANN401
    """OpenVINO, loaded once, and without the tools that tell Google Analytics so."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Any:  # noqa: ANN401
    if _REPORTING not in sys.modules:
        sys.modules[_REPORTING] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if sys.modules[_REPORTING] is None:
            del sys.modules[_REPORTING]
    return openvino.Core()
