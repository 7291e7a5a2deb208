"""Why, as a picture; and every model about the same picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.cascades import make_cascade_folder
from tests.model_folders import make_model_folder
from tests.pictures import picture, truncated_jpeg


def half_and_half() -> bytes:
    """Red on the left, blue on the right."""
    sides = [Image.open(io.BytesIO(picture(colour, "PNG"))) for colour in ("red", "blue")]
    whole = Image.new("RGB", (320, 120))
    whole.paste(sides[0], (0, 0))
    whole.paste(sides[1], (160, 0))
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_the_overlay_shows_where_the_class_was_seen(client: TestClient) -> None:
    """Occlusion, as the tiny model has no map: the red half spoke for a cat, the blue one not."""
    response = client.post("/explain/tiny?label=cat", files={"file": half_and_half()})
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    said = {
        name: response.headers[f"x-pawsight-{name}"]
        for name in ("explained", "method", "label", "model", "decided-by", "confidence")
    }
    assert (said["explained"], said["method"]) == ("cat", "occlusion")
    assert said["model"] == said["decided-by"]
    assert said["model"].startswith("tiny@")
    assert 0 <= float(said["confidence"]) <= 1
    before, after = pixels_of(half_and_half()), pixels_of(response.content)
    assert after.shape == before.shape
    change = np.abs(after - before).mean(axis=(0, 2))  # of each column
    assert change[20:130].mean() > 5 * change[200:300].mean()


def test_what_is_decided_is_what_predict_decides(client: TestClient) -> None:
    for colour in ("red", "blue", "black"):
        answer = client.post("/predict/tiny", content=picture(colour)).json()
        headers = client.post("/explain/tiny", content=picture(colour)).headers
        assert headers["x-pawsight-label"] == answer["label"]
        assert float(headers["x-pawsight-confidence"]) == pytest.approx(answer["confidence"])


def test_a_large_picture_has_an_overlay_of_bounded_size(settings: Settings) -> None:
    roomy = settings.model_copy(update={"max_bytes": 20_000_000})
    with TestClient(create_app(roomy)) as client:
        response = client.post("/explain/tiny", content=picture("red", size=(3000, 1500)))
    assert Image.open(io.BytesIO(response.content)).size == (1024, 512)


def test_a_class_that_is_not_there_and_a_broken_picture_are_refused(client: TestClient) -> None:
    response = client.post("/explain/tiny?label=wolf%0a", content=picture("red"))
    assert (response.status_code, response.json()["code"]) == (404, "unknown-label")
    assert response.json()["detail"] == "no class 'wolf\\n'; this model has cat, dog"
    response = client.post("/explain/tiny?label=neither", content=picture("red"))
    assert "no class 'neither', which is said where no class" in response.json()["detail"]
    response = client.post("/explain/tiny", content=truncated_jpeg())
    assert (response.status_code, response.json()["code"]) == (422, "truncated")
    assert client.post("/explain/dog", content=picture("red")).json()["code"] == "unknown-model"


def test_a_label_of_any_script_stands_in_a_header(tmp_path: Path) -> None:
    folder = make_model_folder(tmp_path / "cats", labels=("Katze groß", "犬"))
    with TestClient(create_app(Settings(serve_models=(str(folder),)))) as client:
        headers = client.post("/explain/cats", content=picture("red")).headers
        assert headers["x-pawsight-label"] == "Katze gro%C3%9F"
        headers = client.post("/explain/cats", content=picture("blue")).headers
        assert headers["x-pawsight-label"] == "%E7%8A%AC"


def test_every_model_is_asked_about_the_same_picture(tmp_path: Path) -> None:
    folder = make_cascade_folder(tmp_path / "both")
    settings = Settings(serve_models=(str(folder), str(tmp_path / "fast")))
    with TestClient(create_app(settings)) as client:
        answers = client.post("/compare", files={"file": picture("black")}).json()["answers"]
        assert [each["prediction"]["model"]["name"] for each in answers] == ["both", "fast"]
        assert answers[0]["prediction"]["decided_by"]["name"] == "strong"
        assert all(each["milliseconds"] > 0 for each in answers)
        for each in answers:
            prediction = each["prediction"]
            alone = client.post(f"/predict/{prediction['model']['name']}", content=picture("black"))
            assert alone.json()["score"] == prediction["score"]
        refused = client.post("/compare", content=truncated_jpeg())
        assert (refused.status_code, refused.json()["code"]) == (422, "truncated")
