"""A checkpoint's ONNX file becomes a model folder's network, or is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from pawsight.models.checkpoint import Checkpoint
from pawsight.models.errors import CheckpointError
from pawsight.models.onnx_checkpoint import OnnxCheckpoint
from tests.onnx_checkpoints import COLOURS, SIDE, make_onnx_checkpoint

NAMES = ("dog", "toaster", "cat", "teapot", "Siamese cat, Siamese")


def converted(folder: Path, output: Path) -> onnxruntime.InferenceSession:
    OnnxCheckpoint(Checkpoint.read(folder)).write(output)
    onnx.checker.check_model(output, full_check=True)
    return onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])


def pictures(number: int = 5) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.random((number, 3, SIDE, SIDE), dtype=np.float32) * random.random((1, 3, 1, 1))


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
@pytest.mark.parametrize("beside", [False, True], ids=["one file", "weights beside"])
def test_logits_are_the_log_odds_of_each_group_against_the_rest(
    tmp_path: Path, opset: int, beside: bool
) -> None:
    folder = make_onnx_checkpoint(tmp_path / "x", NAMES, opset=opset, beside=beside)
    batch = pictures().astype(np.float32)
    colours = batch.mean(axis=(2, 3), dtype=np.float64)
    own = colours @ np.array([COLOURS.get(name, (0, 9, 0)) for name in NAMES]).T
    share = np.exp(own) / np.exp(own).sum(1, keepdims=True)
    rest = share[:, 1] + share[:, 3]
    wanted = np.log(np.stack([(share[:, 2] + share[:, 4]) / rest, share[:, 0] / rest], 1))

    session = converted(folder, tmp_path / "model.onnx")
    logits, features = session.run(["logits", "features"], {"pixel_values": batch})
    assert np.abs(logits - wanted).max() < 1e-4
    assert np.abs(features - own).max() < 1e-4
    with OnnxCheckpoint(Checkpoint.read(folder)).as_it_is() as answer:
        assert np.abs(answer(batch) - wanted).max() < 1e-4


def test_two_classes_alone_have_their_logits_handed_on(tmp_path: Path) -> None:
    folder = make_onnx_checkpoint(tmp_path / "x", ("dog", "cat"), file="model.onnx")
    batch = pictures().astype(np.float32)
    session = converted(folder, tmp_path / "model.onnx")
    logits, features = session.run(["logits", "features"], {"pixel_values": batch})
    assert np.abs(logits - features[:, ::-1]).max() < 1e-6


def test_very_sure_answers_do_not_overflow(tmp_path: Path) -> None:
    session = converted(make_onnx_checkpoint(tmp_path / "x", NAMES), tmp_path / "model.onnx")
    sure = np.zeros((2, 3, SIDE, SIDE), dtype=np.float32)
    sure[0, 0], sure[1, 2] = 100, 100  # logits of ±900, whose exponentials are no float32
    logits = session.run(["logits"], {"pixel_values": sure})[0]
    assert np.isfinite(logits).all()
    assert logits.argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"batch": 1}, "takes a fixed number of pictures"),
        ({"outputs": 2}, "has 2 outputs for the 3 classes"),
    ],
)
def test_a_network_of_another_form_is_refused(
    tmp_path: Path, how: dict[str, Any], words: str
) -> None:
    with pytest.raises(CheckpointError, match=words):
        OnnxCheckpoint(Checkpoint.read(make_onnx_checkpoint(tmp_path, **how)))


def test_a_network_with_other_names_is_refused(tmp_path: Path) -> None:
    make_onnx_checkpoint(tmp_path, file="model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    model.graph.output[0].name = model.graph.node[-1].output[0] = "scores"
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(CheckpointError, match=r"must take .* and give 'logits'; .*'scores'"):
        OnnxCheckpoint(Checkpoint.read(tmp_path))


def test_weights_beside_that_are_missing_or_cut_off_are_refused(tmp_path: Path) -> None:
    checkpoint = Checkpoint.read(make_onnx_checkpoint(tmp_path, beside=True))
    weights = tmp_path / "onnx" / "model.onnx_data"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"weights of model\.onnx are cut off"):
        OnnxCheckpoint(checkpoint)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"weights in 'model\.onnx_data', which"):
        OnnxCheckpoint(checkpoint)


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    checkpoint = Checkpoint.read(make_onnx_checkpoint(tmp_path / "x", beside=True))
    (tmp_path / "x" / "onnx" / "model.onnx_data").rename(tmp_path / "x" / "elsewhere")
    model = onnx.load(tmp_path / "x" / "onnx" / "model.onnx", load_external_data=False)
    model.graph.initializer[0].external_data[0].value = "../elsewhere"
    (tmp_path / "x" / "onnx" / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match="weights outside its own folder"):
        OnnxCheckpoint(checkpoint)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    checkpoint = Checkpoint.read(make_onnx_checkpoint(tmp_path))
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"\xff not a network")
    with pytest.raises(CheckpointError, match="is no ONNX file, or cut off"):
        OnnxCheckpoint(checkpoint)


def test_a_network_for_pictures_of_another_size_is_refused(tmp_path: Path) -> None:
    checkpoint = Checkpoint.read(make_onnx_checkpoint(tmp_path))
    with (
        OnnxCheckpoint(checkpoint).as_it_is() as answer,
        pytest.raises(CheckpointError, match="does not take pictures of 48×48"),
    ):
        answer(np.zeros((1, 3, 48, 48), dtype=np.float32))
