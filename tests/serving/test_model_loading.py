"""Models that come while the service runs."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pawsight.inference.artifact import NETWORK_FILE
from pawsight.inference.catalog import load
from pawsight.serving.app import create_app
from pawsight.serving.batching import Scheduler
from pawsight.serving.routes.schemas import ModelSummary
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.running import Running, running

ADMIN = {"X-API-Key": "ops-key-0123456789abc"}
OTHER = {"X-API-Key": "shop-key-0123456789"}
KEYS = f"shop {OTHER['X-API-Key']};ops {ADMIN['X-API-Key']} admin"


@dataclass
class Home:
    """A running service and the folder that it may load from."""

    server: Running
    folder: Path

    def load(self, name: str, headers: dict[str, str] = ADMIN, **query: str) -> httpx.Response:
        return httpx.post(
            f"{self.server.url}/models/{name}/load", headers=headers, params=query, timeout=60
        )

    def label(self, name: str, colour: str) -> str:
        answer = httpx.post(
            f"{self.server.url}/predict/{name}",
            content=picture(colour),
            headers=OTHER,
            timeout=60,
        )
        return str(answer.json().get("label", answer.json().get("code")))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "models"
    make_model_folder(folder / "tiny")
    make_model_folder(folder / "turned", labels=("dog", "cat"), strength=1.5)
    settings = Settings(
        serve_models=(str(folder / "tiny"),),
        api_keys=KEYS,  # type: ignore[arg-type]
        models_dir=folder,
        cache=0,
    )
    with running(create_app(settings)) as server:
        yield Home(server, folder)


def test_a_new_model_is_there_once_it_is_loaded(home: Home) -> None:
    assert home.label("turned", "red") == "unknown-model"
    answer = home.load("turned")
    assert (answer.status_code, answer.json()["name"]) == (200, "turned")
    assert home.label("turned", "red") == "dog"
    assert home.label("tiny", "red") == "cat"


def test_a_model_changes_places_without_a_request_lost(home: Home) -> None:
    """While four clients ask without a pause, `tiny` is switched back and forth."""
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=home.server.url, headers=OTHER, timeout=60) as client:
            while not stop.is_set():
                answer = client.post("/predict/tiny", content=picture("red"))
                seen.append((answer.status_code, str(answer.json().get("label"))))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for each in clients:
        each.start()
    versions = set()
    for folder in ("turned", "tiny", "turned") * 2:
        answer = home.load("tiny", folder=folder)
        assert answer.status_code == 200
        versions.add(answer.json()["version"])
        expected = "dog" if folder == "turned" else "cat"
        assert home.label("tiny", "red") == expected
    stop.set()
    for each in clients:
        each.join()
    assert len(versions) == 2
    assert {status for status, _ in seen} == {200}
    assert {label for _, label in seen} == {"cat", "dog"}


def test_a_model_whose_folder_is_gone_still_answers_and_so_do_others(tmp_path: Path) -> None:
    folder = make_model_folder(tmp_path / "tiny")
    model, other = (load(str(folder), threads=1) for _ in range(2))
    shutil.rmtree(folder)

    async def ask() -> list[str]:
        with Scheduler(threads=1, limit=9) as scheduler:
            asked = [scheduler.ask(each.steps(picture("red"))) for each in (model, other)]
            return [answer.label for answer in await asyncio.gather(*asked)]

    assert asyncio.run(asyncio.wait_for(ask(), 60)) == ["cat", "cat"]
    assert ModelSummary.of(model).size > 0


def test_a_folder_that_was_changed_is_loaded_anew(home: Home) -> None:
    before = home.load("turned").json()["version"]
    shutil.rmtree(home.folder / "turned")
    make_model_folder(home.folder / "turned", strength=2.0)
    answer = home.load("turned")
    assert answer.json()["version"] != before
    assert home.label("turned", "red") == "cat"


def test_a_broken_one_is_refused_while_the_old_one_goes_on(home: Home) -> None:
    network = home.folder / "turned" / NETWORK_FILE
    network.write_bytes(network.read_bytes()[:-1] + b"?")
    answer = home.load("tiny", folder="turned")
    assert (answer.status_code, answer.json()["code"]) == (422, "broken-model")
    assert "model.onnx was changed" in answer.json()["detail"]
    assert str(home.folder) not in answer.text
    assert home.label("tiny", "red") == "cat"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("tiny", "../models/tiny"),
        ("tiny", "/etc"),
        ("tiny", ".."),
        ("tiny", "nowhere"),
        ("tiny", "x" * 300),
        ("tiny", "a\0b"),
        ("%2e%2e", "tiny"),
        ("..%5ctiny", ""),
    ],
)
def test_no_path_of_a_clients_is_opened(home: Home, name: str, folder: str) -> None:
    answer = home.load(name, folder=folder)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(home.folder) not in answer.text
    assert home.label("tiny", "red") == "cat"


def test_only_holders_of_an_admin_key_load(home: Home) -> None:
    assert home.load("turned", headers={}).json()["code"] == "unauthorized"
    refused = home.load("turned", headers=OTHER)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert home.label("turned", "red") == "unknown-model"


def test_without_keys_or_without_a_folder_it_is_off(tiny: Path, tmp_path: Path) -> None:
    open_to_all = Settings(serve_models=(str(tiny),), models_dir=tmp_path)
    no_folder = Settings(serve_models=(str(tiny),), api_keys=KEYS)  # type: ignore[arg-type]
    for settings in (open_to_all, no_folder):
        with running(create_app(settings)) as server:
            answer = Home(server, tmp_path).load("tiny")
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
