"""Integer arithmetic: a second network whose convolutions or matrices compute in 8 bits."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from pawsight.cpus import usable_cpus
from pawsight.data.pictures import load_pictures
from pawsight.images.preprocess import Preprocessing, normalise
from pawsight.inference.artifact import NETWORK_FILE, QUANTISED_FILE, Quantised
from pawsight.training.folder import golden_answers

PICTURES: Final = 256
"""That calibrate."""

TOLERANCE: Final = 0.15
"""By how much integers may move a logit away from the same roundings computed in float32."""

_BATCH: Final = 32

# All that the answer is read from (the mean over places, the classifier, the class map) stays in
# float32, so that explanations add up. Of a network of convolutions, all that is between the first
# and the last one computes in integers; of a transformer, the products with weights.
# A ReLU costs nothing there: what is below 0 is rounded to 0. What a product gives is not rounded:
# it is added to and normalised in float32, in which runtimes give it anyway.
_OF_CONVOLUTIONS: Final = ("Conv", "Relu", "Add", "MaxPool")
_OF_MATRICES: Final = ("MatMul", "Gemm")
_READ: Final = ("logits", "class_map")


def calibration_pictures(
    training: pd.DataFrame, how: Preprocessing, seed: int
) -> NDArray[np.float32]:
    """Some training pictures, preprocessed: float32 [N, 3, h, w].

    Args:
        training: ``path`` of the training pictures.
        how: The preprocessing.
        seed: Of the choice.
    """
    chosen = training.sample(min(PICTURES, len(training)), random_state=seed)
    return normalise(load_pictures(chosen["path"].tolist(), how), how)


def quantise(
    folder: Path, pixels: NDArray[np.float32], labels: Sequence[str], how: Preprocessing
) -> Quantised:
    """Write ``model.int8.onnx`` beside an exported ``model.onnx``, and prove it.

    Unsigned activations and signed weights, per channel, with the ranges that the calibration
    pictures span: the form that x86's 8-bit instructions are fast at.

    Args:
        folder: Holds ``model.onnx``, with weights in float32.
        pixels: Preprocessed calibration pictures, float32 [N, 3, h, w].
        labels: In the order of the logits.
        how: The preprocessing, for the golden pictures.

    Returns:
        What the card says of it.
    """
    file = folder / QUANTISED_FILE
    advice = logging.getLogger()
    advice.addFilter(_no_advice)
    try:
        _quantise(folder / NETWORK_FILE, file, pixels)
    finally:
        advice.removeFilter(_no_advice)
    return prove(file, labels, how)


def prove(
    file: Path, labels: Sequence[str], how: Preprocessing, tolerance: float = TOLERANCE
) -> Quantised:
    """Golden answers of an int8 network, its roundings computed in float32.

    Args:
        file: Its ONNX file.
        labels: In the order of the logits.
        how: The preprocessing.
        tolerance: By how much integers may move a logit.
    """
    session = _simulated(file)

    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = session.run(["logits"], {"pixel_values": batch})[0]
        return logits

    return Quantised(golden=golden_answers(answer, labels, how), golden_tolerance=tolerance)


def _quantise(network: Path, output: Path, pixels: NDArray[np.float32]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(network), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        products = [node for node in graph.node if node.op_type in _OF_MATRICES]
        left = _reading(graph)
        # The products of a convolutional network are its classifier alone.
        in_integers = _OF_MATRICES if len(products) > len(left) else _OF_CONVOLUTIONS
        if in_integers == _OF_MATRICES:
            weights = {each.name for each in graph.initializer}
            left |= {node.name for node in products if node.input[1] not in weights}
        quantize_static(
            str(prepared),
            str(output),
            _Calibration(pixels),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=list(in_integers),
            nodes_to_exclude=sorted(left),
            extra_options={"OpTypesToExcludeOutputQuantization": list(_OF_MATRICES)},
        )


def _reading(graph: onnx.GraphProto) -> set[str]:
    """The nodes, by name, in which the classifier's weights are multiplied."""
    produced_by = {output: node for node in graph.node for output in node.output}
    found, waiting = set(), list(_READ)
    while waiting:
        node = produced_by.get(waiting.pop())
        if node is None:
            continue
        if node.op_type in (*_OF_MATRICES, "Conv"):
            found.add(node.name)
        else:
            waiting.extend(node.input)
    return found


def _simulated(network: Path) -> ort.InferenceSession:
    """A quantised network whose roundings are computed in float32, the same on every processor."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return ort.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, pixels: NDArray[np.float32]) -> None:
        self._batches: Iterator[NDArray[np.float32]] = iter(
            np.split(pixels, range(_BATCH, len(pixels), _BATCH))
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"pixel_values": batch}


def _no_advice(record: logging.LogRecord) -> bool:
    """ONNX Runtime advises the preparation that was just done."""
    return "pre-processing" not in record.getMessage()
