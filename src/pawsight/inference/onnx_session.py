"""ONNXSession: a network in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import onnxruntime

from pawsight.images.decode import Pixels
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.inference.errors import ModelError
from pawsight.inference.session import CPU, Tensor


class ONNXSession:
    """A network in ONNX Runtime (:class:`~pawsight.inference.session.Session`).

    Args:
        file: The network.
        threads: That compute a batch.
        provider: ONNX Runtime's execution provider that has to run it.
        how: By which pictures are normalised; None where tensors are given.

    Raises:
        ModelError: The provider does not start here.
        Exception: ONNX Runtime's own, which have no common base, of a file that it cannot load.
    """

    def __init__(
        self, file: Path, threads: int, provider: str, how: Preprocessing | None = None
    ) -> None:
        self._how = how
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Its own heap keeps the most that any run has needed, once for each run at the same time.
        options.enable_cpu_mem_arena = False
        # ONNX Runtime's threads would else wait for their next work in a loop, on the processors
        # that pictures are decoded on (docs/performance.md).
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = [provider] if provider == CPU else [provider, CPU]
        self._session = onnxruntime.InferenceSession(file, options, providers=providers)
        # Where a GPU's driver or libraries are missing, ONNX Runtime says so to stderr and goes on.
        if (running := self._session.get_providers()[0]) != provider:
            raise ModelError(
                f"{file.parent.name!r} is not run by {provider} as asked for, which does not start "
                f"here (is its driver installed?), but by {running}"
            )
        self.inputs = tuple(str(each.name) for each in self._session.get_inputs())
        self.outputs = tuple(str(each.name) for each in self._session.get_outputs())

    def run(self, outputs: Sequence[str], batch: Tensor | Pixels) -> list[Tensor]:
        """Some outputs for a batch."""
        tensor = normalise(cast("Pixels", batch), self._how) if self._how else batch
        results: list[Tensor] = self._session.run(list(outputs), {"pixel_values": tensor})
        return results
