from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pawsight.inference.catalog import load
from pawsight.inference.classifier import Classifier
from pawsight.serving.app import create_app
from pawsight.serving.cache import Cache
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.pictures import picture, truncated_jpeg


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The pictures that are read."""
    seen: list[bytes] = []
    read = Classifier.read

    def recorded(network: Classifier, data: Any, *more: Any) -> Any:
        seen.append(data)
        return read(network, data, *more)

    monkeypatch.setattr(Classifier, "read", recorded)
    return seen


@pytest.fixture
def cached(tiny: Path, second: Path, reads: list[bytes]) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(serve_models=(str(tiny), str(second)), cache=2))) as client:
        reads.clear()
        yield client


def ask(client: TestClient, colour: str, model: str = "tiny", **headers: str) -> Any:
    return client.post(f"/predict/{model}", content=picture(colour), headers=headers)


def test_the_same_picture_is_read_once_and_each_answer_has_its_id(
    cached: TestClient, reads: list[bytes]
) -> None:
    first, again = ask(cached, "red"), ask(cached, "red")
    assert len(reads) == 1
    one, two = first.json(), again.json()
    assert one.pop("id") != two.pop("id")
    assert one == two
    assert first.headers["etag"] == again.headers["etag"]


def test_another_model_and_another_picture_are_asked(
    cached: TestClient, reads: list[bytes]
) -> None:
    tags = {
        ask(cached, colour, model).headers["etag"]
        for colour in ("red", "blue")
        for model in ("tiny", "second")
    }
    assert len(tags) == len(reads) == 4
    assert ask(cached, "blue", "second").json()["model"]["name"] == "second"


def test_the_same_network_is_asked_anew_where_its_card_says_something_else(tmp_path: Path) -> None:
    labels = (("cat", "dog"), ("lion", "wolf"))
    one, other = (
        load(str(make_model_folder(tmp_path / each[0] / "tiny", labels=each))) for each in labels
    )
    assert one.reference == other.reference
    cache = Cache(2)
    assert cache.tag(one, "picture") == cache.tag(one, "picture") != cache.tag(other, "picture")


def test_only_the_latest_are_kept(cached: TestClient, reads: list[bytes]) -> None:
    for colour in ("red", "blue", "red", "green", "red", "blue"):
        assert ask(cached, colour).status_code == 200
    assert reads == [picture(colour) for colour in ("red", "blue", "green", "blue")]


def test_a_batch_takes_what_is_kept(cached: TestClient, reads: list[bytes]) -> None:
    ask(cached, "red")
    files = [("files", picture("red")), ("files", picture("blue"))]
    records = cached.post("/predict/tiny/batch", files=files).json()["records"]
    assert [each["prediction"]["label"] for each in records] == ["cat", "dog"]
    assert len(reads) == 2


def test_who_has_the_answer_is_not_answered_again(cached: TestClient, reads: list[bytes]) -> None:
    tag = ask(cached, "red").headers["etag"]
    response = ask(cached, "red", **{"If-None-Match": f'"other", {tag}'})
    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert response.headers["etag"] == tag
    assert ask(cached, "blue", **{"If-None-Match": tag}).json()["label"] == "dog"


def test_a_refusal_is_not_kept(cached: TestClient, reads: list[bytes]) -> None:
    for _ in range(2):
        assert cached.post("/predict/tiny", content=truncated_jpeg()).status_code == 422
    assert len(reads) == 2


def test_it_can_be_turned_off(tiny: Path, reads: list[bytes]) -> None:
    with TestClient(create_app(Settings(serve_models=(str(tiny),), cache=0))) as client:
        reads.clear()
        first, again = ask(client, "red"), ask(client, "red")
    assert len(reads) == 2
    assert "etag" not in first.headers
    assert first.json()["label"] == again.json()["label"] == "cat"
