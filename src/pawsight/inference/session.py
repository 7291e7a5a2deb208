"""Session: a network, loaded by a runtime and ready to compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pawsight.images.decode import Pixels

Tensor: TypeAlias = NDArray[np.float32]

Precision: TypeAlias = Literal["float32", "int8"]

CPU: Final = "CPUExecutionProvider"
"""What runs a network, by its name: ONNX Runtime on the processor."""

OPENVINO: Final = "OpenVINO"


class Session(Protocol):
    """What runs a network.

    Attributes:
        inputs: Names of the network's inputs.
        outputs: Names of its outputs.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, outputs: Sequence[str], batch: Tensor | Pixels) -> list[Tensor]:
        """Some outputs for a batch, float32; threads may ask at the same time.

        Args:
            outputs: Their names.
            batch: float32 [N, 3, H, W]; or uint8 [N, H, W, 3], where the session normalises.
        """
