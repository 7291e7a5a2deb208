"""OpenVINOSession: a network in OpenVINO, which computes it faster on processors of x86."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final

from pawsight.inference.openvino_cache import compiled
from pawsight.inference.session import OPENVINO, Tensor

_REPORTING: Final = "openvino.tools.ovc"
_LOADING: Final = Lock()


class OpenVINOSession:
    """A network in OpenVINO (:class:`~pawsight.inference.session.Session`).

    Args:
        file: The network, in ONNX.
        threads: That compute a batch.
        lanes: How many batches are computed side by side, each by so many threads.

    Raises:
        RuntimeError: OpenVINO cannot load the file.
    """

    def __init__(self, file: Path, threads: int, lanes: int = 1) -> None:
        options = {
            "INFERENCE_NUM_THREADS": threads * lanes,
            "NUM_STREAMS": lanes,
            # Pictures are decoded on the same processors.
            "ENABLE_CPU_PINNING": False,
            # Where the processor has bfloat16, OpenVINO would compute in it what is in floats, and
            # what each place contributes to a logit would not add up to it.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._network = compiled(_core(), file, options)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self.provider = OPENVINO
        self.inputs = tuple(each.get_any_name() for each in self._network.inputs)
        self.outputs = tuple(each.get_any_name() for each in self._network.outputs)

    def run(self, outputs: Sequence[str], pixel_values: Tensor) -> list[Tensor]:
        """Some outputs for a batch float32 [N, 3, H, W]."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._network.create_infer_request()
        try:
            results = request.infer({"pixel_values": pixel_values}, share_inputs=True)
        finally:
            self._idle.put(request)
        return [results[name] for name in outputs]


def _core() -> Any:  # noqa: ANN401 - OpenVINO has no types
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
