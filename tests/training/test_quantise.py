from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import ImageOps

from pawsight.inference.artifact import QUANTISED_FILE, ModelFolder, digest
from pawsight.inference.catalog import load_network
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import BrokenModel, ModelError
from pawsight.training.folder import write_card
from pawsight.training.recipe import ViTRecipe
from pawsight.training.train import train
from tests.drawn import draw, drawn_table
from tests.training.recipes import TINY

PICTURES = [draw(label, seed) for label in ("cat", "dog", "neither") for seed in range(100, 120)]


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with an int8 network beside the float32 one."""
    home = tmp_path_factory.mktemp("quantised")
    recipe = TINY.model_copy(update={"arithmetic": "int8", "weights": "int8"})
    table = drawn_table(home / "pictures", 40, ("cat", "dog", "neither"))
    train(table, recipe, home / "model", name="drawn")
    return home / "model"


def test_it_is_served_in_int8_and_answers_as_in_float32(quantised: Path) -> None:
    model = load_network(str(quantised))
    exact = Classifier(ModelFolder.open(quantised), precision="float32")
    assert (model.precision, exact.precision) == ("int8", "float32")
    assert [each.label for each in model.predict(PICTURES)] == [
        each.label for each in exact.predict(PICTURES)
    ]


def test_between_its_convolutions_nothing_is_computed_in_floats(quantised: Path) -> None:
    graph = onnx.load(quantised / QUANTISED_FILE).graph
    assert not [node.name for node in graph.node if node.op_type == "Relu"]
    readers = {name: node.op_type for node in graph.node for name in node.input}
    convolutions = [node.output[0] for node in graph.node if node.op_type == "Conv"]
    assert {readers[each] for each in convolutions if each in readers} == {"QuantizeLinear"}


def test_alone_or_in_a_batch_the_answer_is_the_same(quantised: Path) -> None:
    model = load_network(str(quantised))
    together = model.predict(PICTURES)
    assert model.predict(PICTURES[7]).probabilities == together[7].probabilities


def test_what_spoke_for_it_still_adds_up_to_the_logits(quantised: Path) -> None:
    model = Classifier(ModelFolder.open(quantised))
    batch = model.tensor([model.read(each) for each in PICTURES[:4]])
    logits, class_map = model.run_with_map(batch)
    np.testing.assert_allclose(class_map.mean((2, 3)), logits, atol=1e-3)


def test_where_integers_go_wrong_it_is_served_in_float32_and_says_so(
    quantised: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a processor whose instructions saturate: here the scales of the weights are wrong."""
    broken = copy(quantised, tmp_path)
    network = onnx.load(broken / QUANTISED_FILE)
    for tensor in network.graph.initializer:
        if tensor.name.endswith("_scale") and tensor.dims:
            tensor.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(tensor), tensor.name))
    onnx.save(network, broken / QUANTISED_FILE)
    card = ModelFolder(broken, ModelFolder.open(quantised).card).card
    files = card.files | {QUANTISED_FILE: digest(broken / QUANTISED_FILE)}
    folder = write_card(broken, card.model_copy(update={"files": files}))
    with caplog.at_level(logging.WARNING):
        model = Classifier(folder)
    assert model.precision == "float32"
    assert "in int8" in caplog.text
    assert "it is served in float32" in caplog.text
    assert model.predict(PICTURES[0]).label == "cat"
    with pytest.raises(BrokenModel, match="in int8"):
        Classifier(folder, precision="int8")


def test_who_looks_in_the_mirror_answers_alike_about_both(tmp_path: Path) -> None:
    recipe = TINY.model_copy(update={"arithmetic": "int8", "mirrored": True})
    table = drawn_table(tmp_path / "pictures", 20, ("cat", "dog", "neither"))
    train(table, recipe, tmp_path / "model", name="mirrored")
    model = load_network(str(tmp_path / "model"))
    assert model.precision == "int8"
    for picture in PICTURES[::5]:
        answer, other = model.predict([picture, ImageOps.mirror(picture)])
        assert other.label == answer.label
        assert other.score == pytest.approx(answer.score, abs=0.05)
    batch = model.tensor([model.read(each) for each in PICTURES[:4]])
    logits, class_map = model.run_with_map(batch)
    np.testing.assert_allclose(class_map.mean((2, 3)), logits, atol=1e-3)


def test_a_folder_without_int8_says_so(trained: Path) -> None:
    with pytest.raises(ModelError, match="no network in int8, only in float32"):
        Classifier(ModelFolder.open(trained), precision="int8")


def test_a_card_whose_int8_network_is_missing_is_refused(quantised: Path, tmp_path: Path) -> None:
    broken = copy(quantised, tmp_path)
    (broken / QUANTISED_FILE).unlink()
    with pytest.raises(BrokenModel, match=f"{QUANTISED_FILE} is missing"):
        ModelFolder.open(broken)


def test_a_transformer_computes_its_products_in_int8_and_still_adds_up(tmp_path: Path) -> None:
    vit = ViTRecipe(width=64, depth=1, heads=2, patch_size=8, position_size=48)
    recipe = TINY.model_copy(
        update={"arithmetic": "int8", "weights": "int8", "epochs": 2, "network": vit}
    )
    train(drawn_table(tmp_path / "pictures", 12), recipe, tmp_path / "model", name="vit")
    model = load_network(str(tmp_path / "model"))
    exact = Classifier(ModelFolder.open(tmp_path / "model"), precision="float32")
    assert (model.precision, exact.precision) == ("int8", "float32")
    batch = model.tensor([model.read(each) for each in PICTURES[:4]])
    logits, class_map = model.run_with_map(batch)
    np.testing.assert_allclose(logits, exact.run(batch).logits, atol=0.15)
    assert not np.array_equal(logits, exact.run(batch).logits)
    np.testing.assert_allclose(class_map.mean((2, 3)), logits, atol=1e-3)


def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy that may be broken."""
    other = tmp_path / "model"
    other.mkdir()
    (other / "golden").mkdir()
    card = json.loads((folder / "model.json").read_text())
    for name in (*card["files"], "model.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    return other
