"""Tiny model folders that answer with meaning: red pictures are the first class, blue the second.

A third class, if there is one, is green; what is none of these colours (black, grey, white, and
with two classes green) is neither.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pawsight.images.decode import decode
from pawsight.images.preprocess import Preprocessing, preprocess
from pawsight.inference.artifact import (
    CARD_FILE,
    GOLDEN_FOLDER,
    NETWORK_FILE,
    Card,
    GoldenAnswer,
    Measurement,
    Provenance,
    digest,
)
from pawsight.inference.rejection import Rejection

_SIDE = 32
# Rows are classes, columns are red, green and blue: a class is its colour and none of the others.
_COLOURS = np.array([[16, -16, 0], [0, -16, 16], [-16, 16, -16]], dtype=np.float32)


def make_model_folder(
    path: Path,
    *,
    labels: Sequence[str] = ("cat", "dog"),
    name: str = "tiny",
    description: str = "Answers by colour.",
    threshold: float = 4.0,
    temperature: float = 4.0,
    strength: float = 1.0,
    side: int = _SIDE,
) -> Path:
    """Write a model folder that loads and proves itself.

    Args:
        path: The folder; made if it is not there.
        labels: Two or three.
        name: Of the card.
        description: Of the card.
        threshold: Of the rejection.
        temperature: Of the calibration.
        strength: Multiplies the logits.
        side: Height and width of the input.

    Returns:
        The folder.
    """
    golden = path / GOLDEN_FOLDER
    golden.mkdir(parents=True, exist_ok=True)
    how = Preprocessing(height=side, width=side, mean=(0, 0, 0), std=(1, 1, 1))
    onnx.save(_network(strength * _COLOURS[: len(labels)], side), path / NETWORK_FILE)
    answers = []
    for number, colour in enumerate([(220, 40, 30), (30, 40, 220)]):
        file = golden / f"{number}.png"
        file.write_bytes(_png(colour))
        logits = _run(path / NETWORK_FILE, preprocess(decode(file.read_bytes()), how)[None])
        answers.append(
            GoldenAnswer(
                file=f"{GOLDEN_FOLDER}/{file.name}",
                logits=dict(zip(labels, logits[0].tolist(), strict=True)),
            )
        )
    files = [NETWORK_FILE, *(answer.file for answer in answers)]
    card = Card(
        name=name,
        description=description,
        architecture="mean colour, linear layer",
        labels=tuple(labels),
        preprocessing=how,
        temperature=temperature,
        rejection=Rejection(threshold=threshold, trained=False),
        metrics=(Measurement(data="colours/test", pictures=2, accuracy=1.0, ece=0.0, loses=0.0),),
        provenance=Provenance(
            started_from="weights by hand",
            licence="Apache-2.0",
            data="none",
            data_digest="0" * 64,
            seed=0,
            code_revision="none",
            libraries={},
            recipe={},
        ),
        golden=tuple(answers),
        golden_tolerance=1e-3,
        files={file: digest(path / file) for file in files},
    )
    (path / CARD_FILE).write_text(card.sealed().model_dump_json(indent=2), encoding="utf-8")
    return path


def _network(weights: np.ndarray, side: int) -> onnx.ModelProto:
    """float32 [N, 3, H, W] → ``features`` [N, 3], the mean colour, and ``logits`` [N, C]."""
    classes, channels = weights.shape
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["features"]),
            helper.make_node("MatMul", ["features", "weights"], ["logits"]),
        ],
        "colours",
        [
            helper.make_tensor_value_info(
                "pixel_values", TensorProto.FLOAT, ["N", channels, side, side]
            )
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", channels]),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(weights.T), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def _run(network: Path, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    logits: np.ndarray = session.run(["logits"], {"pixel_values": batch})[0]
    return logits


def _png(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 40), colour).save(file, "PNG")
    return file.getvalue()
