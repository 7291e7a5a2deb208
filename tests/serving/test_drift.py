"""The service says when other pictures come in than its models were chosen on."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pawsight.drift.reference import Reference
from pawsight.inference.artifact import CARD_FILE, REFERENCE_FILE, ModelFolder, digest
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import BrokenModel
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.serving.state import State
from tests.cascades import make_cascade_folder
from tests.model_folders import make_model_folder

WINDOW = 40


def usual(number: int) -> np.ndarray:
    """A picture that is more or less red or blue."""
    random = np.random.default_rng(number)
    strong, weak = random.integers(150, 250), random.integers(0, 90)
    colour = [strong, weak, weak] if number % 2 else [weak, weak, strong]
    noise = random.integers(-20, 20, (40, 40, 3))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def dark(number: int) -> np.ndarray:
    return (usual(number) * 0.4).astype(np.uint8)


def file(pixels: np.ndarray) -> bytes:
    whole = io.BytesIO()
    Image.fromarray(pixels).save(whole, "PNG")
    return whole.getvalue()


def with_reference(path: Path, content: bytes | None = None) -> Path:
    """Give a folder a reference of usual pictures, or this in its place."""
    folder = ModelFolder.open(path)
    if content is None:
        seen = Classifier(folder).outputs(map(usual, range(1000, 1600)))
        made = Reference.of(seen.features, seen.logits)
        assert made
        made.write(path / REFERENCE_FILE)
    else:
        (path / REFERENCE_FILE).write_bytes(content)
    files = folder.card.files | {REFERENCE_FILE: digest(path / REFERENCE_FILE)}
    card = folder.card.model_copy(update={"files": files}).sealed()
    (path / CARD_FILE).write_text(card.model_dump_json(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_reference(make_model_folder(tmp_path_factory.mktemp("drift") / "tiny"))


def chosen(*folders: Path, **settings: Any) -> Settings:
    given = {"drift_window": WINDOW, "records": "off", **settings}
    return Settings(serve_models=tuple(map(str, folders)), **given)


@pytest.fixture
def service(watched: Path) -> Iterator[TestClient]:
    with TestClient(create_app(chosen(watched))) as client:
        yield client


def told(client: TestClient, model: str = "tiny") -> dict[str, Any]:
    answer = client.get("/drift")
    assert answer.status_code == 200
    found: dict[str, Any] = next(each for each in answer.json()["models"] if each["model"] == model)
    return found


def compared(client: TestClient, windows: int) -> dict[str, Any]:
    """What is told once so many windows were compared, which no answer waits for."""
    deadline = time.monotonic() + 60
    while (found := told(client))["windows"] < windows:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def send(client: TestClient, pictures: list[np.ndarray], model: str = "tiny") -> None:
    for each in pictures:
        assert client.post(f"/predict/{model}", content=file(each)).status_code == 200


def test_usual_pictures_are_called_so_and_dark_ones_not(
    service: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    send(service, [usual(number) for number in range(WINDOW - 1)])
    early = told(service)
    assert (early["drifted"], early["pictures"]) == (None, WINDOW - 1)
    assert early["message"] == "39 of 40 pictures have come; then they are compared"
    send(service, [usual(WINDOW)])
    found = compared(service, 1)
    assert (found["drifted"], found["pictures"], found["windows"]) == (False, 0, 1)
    assert found["features_p"] > 0.0003
    assert found["labels"].keys() == {"cat", "dog", "neither"}
    metrics = service.get("/metrics").text
    assert 'pawsight_drift_windows_total{drifted="false",model="tiny"} 1.0' in metrics
    assert 'pawsight_drifted{model="tiny"} 0.0' in metrics
    with caplog.at_level(logging.WARNING):
        send(service, [dark(number) for number in range(WINDOW)])
        found = compared(service, 2)
    assert (found["drifted"], found["windows"]) == (True, 2)
    assert found["features_p"] < 1e-6
    assert found["message"].startswith("the last 40 pictures are not like those that the model")
    assert found["message"] in caplog.text
    metrics = service.get("/metrics").text
    assert 'pawsight_drifted{model="tiny"} 1.0' in metrics
    assert 'pawsight_drift_psi{model="tiny",of="labels"}' in metrics


def test_more_dogs_than_before_are_noticed(service: TestClient) -> None:
    send(service, [usual(2 * number) for number in range(WINDOW)])
    found = compared(service, 1)
    assert found["drifted"]
    assert found["label_psi"] > 0.25
    assert found["labels"]["dog"] > 0.9 > 0.6 > found["expected"]["dog"]


def test_what_is_answered_again_is_not_counted_again(service: TestClient) -> None:
    send(service, [usual(0)] * 5)
    assert told(service)["pictures"] == 1


def test_a_cascade_is_watched_by_its_first_network(tmp_path: Path) -> None:
    with_reference(make_model_folder(tmp_path / "fast"))
    folder = make_cascade_folder(tmp_path / "both")
    with TestClient(create_app(chosen(folder, tmp_path / "fast", tmp_path / "strong"))) as client:
        unsure = np.full((40, 40, 3), 60, dtype=np.uint8)
        send(client, [usual(1), unsure], "both")
        assert told(client, "both")["network"] == "fast"
        assert told(client, "both")["pictures"] == 2
        assert told(client, "fast")["pictures"] == 0  # that was not asked itself
        assert "nothing to compare with" in told(client, "strong")["message"]


def test_where_it_is_off_or_nothing_is_known_it_says_so(watched: Path, second: Path) -> None:
    with TestClient(create_app(chosen(watched, drift_window=0))) as client:
        send(client, [usual(0)])
        assert told(client)["drifted"] is None
        assert "PAWSIGHT_DRIFT_WINDOW is 0" in told(client)["message"]
    with TestClient(create_app(chosen(second))) as client:
        send(client, [usual(0)], "second")
        assert told(client, "second")["drifted"] is None
        assert "holds back 150 or more" in told(client, "second")["message"]


def test_what_is_no_reference_is_refused(tmp_path: Path) -> None:
    broken = with_reference(make_model_folder(tmp_path / "tiny"), b"PK\x03\x04 and so on")
    with pytest.raises(BrokenModel, match=r"reference\.npz is no reference"):
        State.load(chosen(broken))


def test_a_model_that_is_removed_is_let_go(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawsight.serving.models.remove", lambda _: None)
    state = State.load(chosen(watched))
    network = weakref.ref(state.models.loaded["tiny"])
    asyncio.run(state.models.remove("tiny"))
    gc.collect()
    assert network() is None
