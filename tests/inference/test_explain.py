from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import pawsight
from pawsight.cli import app
from pawsight.inference.errors import ModelError
from pawsight.inference.explain import Explanation, explain, reach_of
from tests.drawn import draw


def test_the_places_add_up_to_the_logit(trained: Path) -> None:
    model = pawsight.load(str(trained))
    for seed, label in enumerate(("cat", "dog")):
        explanation = explain(model, draw(label, seed))
        assert explanation.prediction == model.predict(draw(label, seed))
        assert explanation.label == label
        assert explanation.places.mean() == pytest.approx(explanation.logit, abs=1e-3)
    other = explain(model, draw("dog", 1), "cat")
    assert other.label == "cat"
    assert other.places.mean() == pytest.approx(other.logit, abs=1e-3)


@pytest.mark.parametrize("name", ["custom", "pretrained"])
def test_the_embedded_models_add_up_too(name: str) -> None:
    picture = Path(__file__).parents[2] / "examples" / "cat.jpg"
    explanation = explain(pawsight.load(name), picture)
    assert explanation.label == "cat"
    assert explanation.places.mean() == pytest.approx(explanation.logit, abs=1e-3)


def test_an_overlay_has_the_pictures_shape_and_leaves_indifferent_places_alone(
    trained: Path,
) -> None:
    pixels = np.asarray(draw("cat", 3))
    explanation = explain(pawsight.load(str(trained)), pixels)
    assert explanation.overlay(pixels).shape == pixels.shape
    blank = np.zeros_like(explanation.places)
    unmoved = type(explanation)(explanation.prediction, "cat", 0.0, blank).overlay(pixels)
    assert np.array_equal(unmoved, pixels)


@pytest.mark.parametrize(
    ("places", "side", "reach"),
    [(7, 224, 1.0), (7, 200, 1.12), (6, 200, 0.96), (13, 208, 1.0), (16, 224, 1.0), (15, 224, 1.0)],
    ids=["halved", "last row kept", "last row left out", "16", "patches of 14", "no halving"],
)
def test_places_lie_where_the_network_saw_them(
    trained: Path, places: int, side: int, reach: float
) -> None:
    assert reach_of(places, side) == pytest.approx(reach)
    column = np.zeros((places, places), dtype=np.float32)
    column[:, places // 2] = 1.0
    pixels = np.full((400, 400, 3), 128, dtype=np.uint8)
    answer = pawsight.load(str(trained)).predict(pixels)
    spans = (reach_of(places, side),) * 2
    coloured = Explanation(answer, "cat", 0.0, column, reach=spans).overlay(pixels)
    strength = np.abs(coloured.astype(float) - 128).sum(axis=(0, 2))
    centre = (strength * (np.arange(400) + 0.5)).sum() / strength.sum() / 400
    assert centre == pytest.approx((places // 2 + 0.5) / places * reach, abs=0.01)


def test_a_class_that_is_not_there_is_refused(trained: Path) -> None:
    with pytest.raises(ModelError, match="no class 'wolf'; it has cat, dog"):
        explain(pawsight.load(str(trained)), draw("cat", 1), "wolf")
    with pytest.raises(ModelError, match="'neither', which is said where no class is seen; it has"):
        explain(pawsight.load(str(trained)), draw("cat", 1), "neither")


def test_the_command_writes_the_overlay(trained: Path, tmp_path: Path) -> None:
    draw("dog", 5).save(tmp_path / "dog.png")
    command = ["explain", str(tmp_path / "dog.png"), "--model", str(trained), "--output"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "why.png")])
    assert done.exit_code == 0, done.output
    assert "what spoke for dog" in done.stdout
    assert "by class activation map" in done.stdout
    assert Image.open(tmp_path / "why.png").size == (72, 60)
    again = CliRunner().invoke(app, [*command, str(tmp_path / "why.png")])
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    for name in ("why.nonsense", "why"):
        done = CliRunner().invoke(app, [*command, str(tmp_path / name)])
        assert done.exit_code == 2
        assert f"{name}': its ending names no format" in done.stderr


def test_a_picture_that_is_not_there_is_said(tmp_path: Path) -> None:
    command = ["explain", "nowhere.jpg", "--output", str(tmp_path / "why.png")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "'nowhere.jpg': no such file or directory" in done.stderr
    assert "Errno" not in done.stderr


def test_the_overlay_does_not_take_the_picture_s_place(tmp_path: Path) -> None:
    file = tmp_path / "cat.png"
    draw("cat", 1).save(file)
    before = file.read_bytes()
    done = CliRunner().invoke(app, ["explain", str(file), "--output", str(file)])
    assert done.exit_code == 2
    assert "would take the picture's place" in done.stderr
    assert file.read_bytes() == before
