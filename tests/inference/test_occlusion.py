"""Networks that have no map of their own are asked with one place after another covered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from typer.testing import CliRunner

from pawsight.cli import app
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.catalog import load_network
from pawsight.inference.classifier import Classifier
from pawsight.inference.explain import GRID, Explanation, explain
from tests.model_folders import make_model_folder
from tests.onnx_checkpoints import make_onnx_checkpoint
from tests.pulling import pull

SIDE = 56
CELL = SIDE // GRID


@pytest.fixture
def corner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """Answers by the brightness of its picture's upper right square: bright is a cat."""
    weights = np.zeros((3, SIDE, SIDE, 2), dtype=np.float32)
    weights[:, :CELL, -CELL:, 0] = 1 / CELL**2
    weights[:, :CELL, -CELL:, 1] = -1 / CELL**2
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixel_values"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "corner",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(weights.reshape(-1, 2), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    folder = make_onnx_checkpoint(tmp_path / "checkpoint", ("cat", "dog"), file="model.onnx")
    onnx.save(model, folder / "model.onnx")
    processor = folder / "preprocessor_config.json"
    processor.write_text(processor.read_text().replace("32", str(SIDE)))
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "models"))
    code, output = pull("corner", "--from", folder)
    assert code == 0, output
    return load_network("corner")


def test_the_map_lights_up_where_the_network_looks_and_nowhere_else(corner: Classifier) -> None:
    white = np.full((90, 120, 3), 255, dtype=np.uint8)
    explanation = explain(corner, white)
    assert explanation.method == "occlusion"
    assert explanation.label == "cat"
    assert explanation.places.shape == (GRID, GRID)
    assert explanation.places[0, -1] == pytest.approx(3, abs=1e-4)  # all of the logit: 1 a channel
    elsewhere = np.delete(explanation.places.ravel(), GRID - 1)
    assert np.abs(elsewhere).max() < 1e-4
    against = explain(corner, white, "dog")
    assert against.places[0, -1] == pytest.approx(-3, abs=1e-4)
    assert against.prediction == explanation.prediction == corner.predict(white)


def test_the_overlay_colours_that_place_alone(corner: Classifier) -> None:
    white = np.full((70, 140, 3), 255, dtype=np.uint8)
    changed = (explain(corner, white).overlay(white) != white).any(axis=2)
    assert changed[:10, -20:].mean() > 0.9
    assert not changed[35:].any()
    assert not changed[:, :70].any()


def test_every_model_without_a_map_can_be_explained(tmp_path: Path) -> None:
    Image.new("RGB", (50, 40), (210, 40, 30)).save(tmp_path / "red.png")
    folder = make_model_folder(tmp_path / "model")
    command = ["explain", str(tmp_path / "red.png"), "--model", str(folder), "--output"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "why.png")])
    assert done.exit_code == 0, done.output
    assert "what spoke for cat" in done.stdout
    assert "by occlusion" in done.stdout
    assert Image.open(tmp_path / "why.png").size == (50, 40)


def test_what_a_crop_keeps_from_the_network_is_not_coloured(corner: Classifier) -> None:
    prediction = corner.predict(np.zeros((8, 8, 3), dtype=np.uint8))
    how = Preprocessing(height=56, width=56, geometry="crop", crop_fraction=0.5)
    places = np.ones((GRID, GRID), dtype=np.float32)
    grey = np.full((80, 120, 3), 128, dtype=np.uint8)
    overlay = Explanation(prediction, "cat", 1.0, places, "occlusion", how).overlay(grey)
    changed = (overlay != grey).any(axis=2)
    assert changed[20:60, 40:80].all()
    assert changed.sum() == 40 * 40
