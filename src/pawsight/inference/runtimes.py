"""Which runtime runs a network: chosen by its name, and opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pawsight.extras import ExtraMissing, require
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.errors import ModelError
from pawsight.inference.session import CPU, OPENVINO, Session

AUTO: Final = "auto"
_CHOSEN: Final = "PAWSIGHT_PROVIDER"
_PROVIDER: Final = "ExecutionProvider"


def open_session(
    file: Path,
    provider: str,
    threads: int,
    lanes: int = 1,
    how: Preprocessing | None = None,
) -> Session:
    """Load an ONNX file.

    Args:
        file: The network.
        provider: One of :func:`chosen_providers`.
        threads: That compute a batch.
        lanes: How many batches may be computed side by side, each by so many threads.
        how: By which the session normalises pictures; None where it is given tensors.

    Raises:
        ModelError: The provider does not start here.
        Exception: The runtime's own, of a file that it cannot load.
    """
    if provider == OPENVINO:
        from pawsight.inference.openvino_session import OpenVINOSession

        return OpenVINOSession(file, threads, lanes, how)
    from pawsight.inference.onnx_session import ONNXSession

    return ONNXSession(file, threads, provider, how)  # a thread that asks computes, too


def chosen_providers(name: str | None = None) -> tuple[str, ...]:
    """What may run a network, by what a user calls it; the first that does it right shall.

    Args:
        name: ``auto`` for OpenVINO, where that is installed, before ONNX Runtime on the processor;
            ``openvino``; or ONNX Runtime's execution provider: ``cpu``, ``cuda``. By default
            what ``PAWSIGHT_PROVIDER`` says, or ``auto``.

    Raises:
        ModelError: It is not here.
    """
    name = name or os.environ.get(_CHOSEN) or AUTO
    asked = name.lower().removesuffix(_PROVIDER.lower())
    if asked in (AUTO, OPENVINO.lower()):
        try:
            require("openvino", "provider 'openvino'")
        except ExtraMissing as error:
            if asked == AUTO:
                return (CPU,)
            raise ModelError(str(error)) from error
        return (OPENVINO, CPU) if asked == AUTO else (OPENVINO,)
    import onnxruntime

    there: dict[str, str] = {
        each.removesuffix(_PROVIDER).lower(): each for each in onnxruntime.get_available_providers()
    }
    if asked not in there:
        raise ModelError(
            f"no execution provider {name[:80]!r}: there are {AUTO}, {OPENVINO.lower()} and, in "
            f"this ONNX Runtime, {', '.join(there)}; those of GPUs come with packages like "
            "onnxruntime-gpu, in the place of onnxruntime"
        )
    return (there[asked],)
