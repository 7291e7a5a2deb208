from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pawsight
from pawsight.images.preprocess import preprocess
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import load_network
from pawsight.inference.explain import explain
from pawsight.models.huggingface import HuggingFaceViT
from tests.cascades import make_cascade_folder
from tests.drawn import draw
from tests.models.test_huggingface import make_checkpoint
from tests.pulling import pull


def test_a_checkpoint_is_served_as_it_is_and_without_torch(home: Path, tmp_path: Path) -> None:
    import numpy as np
    import torch

    source = make_checkpoint(tmp_path / "checkpoint")
    code, output = pull("pretrained", "--from", source)
    assert code == 0, output
    model = load_network("pretrained")
    network = HuggingFaceViT.from_pretrained(source)
    picture = np.asarray(draw("cat", 1))
    with torch.inference_mode():
        expected = network(torch.from_numpy(preprocess(picture, network.preprocessing))[None])
    answer = model.predict(picture)
    assert answer.probabilities["cat"] == pytest.approx(float(expected.softmax(1)[0, 0]), abs=1e-3)
    assert answer.score == pytest.approx(float(torch.logsumexp(expected, 1)), abs=1e-3)
    assert answer.model.source == "installed"
    explanation = explain(model, picture)
    assert explanation.method == "occlusion"
    assert explanation.prediction == answer
    assert np.isfinite(explanation.places).all()
    assert np.ptp(explanation.places) > 0
    code_without_torch = (
        "import sys, pawsight; pawsight.load('pretrained'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code_without_torch], check=True)


def test_a_model_folder_is_installed_under_a_name(home: Path, trained: Path) -> None:
    code, output = pull("drawn", "--from", trained)
    assert code == 0, output
    assert pawsight.load("drawn").predict(draw("dog", 9)).label == "dog"
    assert not (home / "drawn" / "training").exists()


def test_a_failed_pull_leaves_the_older_model_in_place(
    home: Path, trained: Path, model_copy: Path
) -> None:
    assert pull("pretrained", "--from", trained)[0] == 0
    (model_copy / "model.onnx").write_bytes(b"broken")
    code, output = pull("pretrained", "--from", model_copy)
    assert code == 2
    assert "model.onnx was changed" in output
    assert ModelFolder.open(home / "pretrained").card.name == "drawn"
    assert [each.name for each in home.iterdir()] == ["pretrained"]


def test_a_newer_pull_takes_the_place_of_the_older_one(
    home: Path, trained: Path, tmp_path: Path
) -> None:
    assert pull("pretrained", "--from", trained)[0] == 0
    assert pull("pretrained", "--from", make_checkpoint(tmp_path / "checkpoint"))[0] == 0
    assert "ViTForImageClassification" in pawsight.load("pretrained").card.architecture


def test_of_a_cascade_it_is_said_what_to_pull_instead(home: Path, tmp_path: Path) -> None:
    code, output = pull("both", "--from", make_cascade_folder(tmp_path / "both"))
    assert code == 2
    assert "is a cascade, which has no network of its own" in output
    assert "when '../fast' answers and when '../strong' is asked: pull these two" in output
    assert not home.exists()


@pytest.mark.parametrize("name", ["../outside", "Name", "", "a/b"])
def test_a_name_that_is_a_path_is_refused(home: Path, trained: Path, name: str) -> None:
    code, output = pull(name, "--from", trained)
    assert code == 2
    assert "is no name for a model" in output
    assert not home.exists()


def test_a_checkpoint_that_cannot_be_used_is_refused_in_words(home: Path, tmp_path: Path) -> None:
    code, output = pull(
        "pretrained", "--from", make_checkpoint(tmp_path / "x", {0: "wolf", 1: "fox"})
    )
    assert code == 2
    assert "no class for cat and dog; its classes are: wolf, fox" in output
    assert list(home.iterdir()) == []


def test_a_revision_of_a_folder_is_refused(home: Path, trained: Path, tmp_path: Path) -> None:
    for source in (trained, make_checkpoint(tmp_path / "checkpoint")):
        code, output = pull("pretrained", "--from", source, "--revision", "v1")
        assert code == 2
        assert "is a folder, which has no revision 'v1'" in output
