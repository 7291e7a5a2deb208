"""Starting, health, models, the OpenAPI document, and errors that nobody foresaw."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from pawsight.inference.artifact import NETWORK_FILE
from pawsight.inference.errors import BrokenModel, ModelError, UnknownModel
from pawsight.inference.runtimes import chosen_providers
from pawsight.serving.app import create_app
from pawsight.serving.routes.schemas import Answer, BatchAnswer
from pawsight.serving.settings import Settings
from tests.cascades import make_cascade_folder
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.running import Running

ROOT = Path(__file__).parents[2]


def test_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    said = ready.json()
    assert said["status"] == "ready"
    assert [model["name"] for model in said["models"]] == ["tiny", "second"]
    model = said["models"][0]
    [network] = model["networks"]
    assert (network["name"], network["precision"]) == ("tiny", "float32")
    assert network["provider"] == chosen_providers()[0]
    assert model["threads"] >= 1
    assert set(said["versions"]) >= {"pawsight", "onnxruntime", "python"}


@pytest.mark.parametrize(("compiled", "said"), [(True, "compiled"), (False, "Pillow")])
def test_ready_says_what_resizes_pictures(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, compiled: bool, said: str
) -> None:
    monkeypatch.setattr("pawsight.serving.routes.about.is_compiled", lambda: compiled)
    assert client.get("/health/ready").json()["resizing"] == said


def test_models_are_listed(client: TestClient) -> None:
    tiny, second = client.get("/models").json()["models"]
    assert tiny["labels"] == ["cat", "dog"]
    assert tiny["source"] == "local"
    assert tiny["size"] > 0
    assert tiny["metrics"][0]["accuracy"] == 1.0
    assert second["name"] == "second"


def test_a_model_shows_its_card_and_no_path(client: TestClient, tiny: Path) -> None:
    response = client.get("/models/tiny")
    assert response.json()["card"]["rejection"]["threshold"] == 4.0
    assert str(tiny.parent) not in response.text
    assert client.get("/models/dog").status_code == 404


def test_a_chosen_threshold_holds_where_a_model_knows_it(trained: Path, tiny: Path) -> None:
    """``tiny``, like a pulled checkpoint, knows no thresholds to choose from, and keeps its own."""
    settings = Settings(serve_models=(str(trained), str(tiny)), may_lose=0.0)
    with TestClient(create_app(settings)) as client:
        chosen, own = client.get("/models").json()["models"]
        assert (chosen["threshold"], own["threshold"]) == (None, 4.0)
        answer = client.post("/predict/model", files={"file": picture("black")}).json()
    assert answer["label"] in ("cat", "dog")


def test_a_cascade_is_served_and_says_who_decided(tmp_path: Path) -> None:
    folder = make_cascade_folder(tmp_path / "both")
    settings = Settings(serve_models=(str(folder), str(tmp_path / "fast")), may_lose=0.01)
    with TestClient(create_app(settings)) as client:
        for colour, label, member in (("red", "cat", "fast"), ("black", "neither", "strong")):
            answer = client.post("/predict/both", files={"file": picture(colour)}).json()
            assert (answer["label"], answer["decided_by"]["name"]) == (label, member)
            assert answer["model"]["name"] == "both"
        both, fast = client.get("/models").json()["models"]
        assert [each["name"] for each in both["networks"]] == ["fast", "strong"]
        assert both["size"] > fast["size"]
        assert both["threshold"] == 0
        assert client.get("/models/both").json()["card"]["fast"]["name"] == "../fast"
        ready = client.get("/health/ready").json()["models"][0]
        assert {each["precision"] for each in ready["networks"]} == {"float32"}


def test_a_folder_with_a_strange_name_is_served(tmp_path: Path) -> None:
    folder = make_model_folder(tmp_path / "Mein Modell, ñ #1?", labels=("owl", "fox", "newt"))
    with TestClient(create_app(Settings(serve_models=(str(folder),)))) as client:
        answer = client.post(
            "/predict/Mein%20Modell,%20%C3%B1%20%231%3F", files={"file": picture("green")}
        )
    assert answer.json()["label"] == "newt"
    assert answer.json()["model"]["name"] == "Mein Modell, ñ #1?"


def test_an_unknown_model_is_a_failure_to_start(tmp_path: Path) -> None:
    app = create_app(Settings(serve_models=(str(tmp_path / "nothing"),)))
    with pytest.raises(UnknownModel, match="no model"), TestClient(app):
        pass


def test_a_broken_model_is_a_failure_to_start(tmp_path: Path) -> None:
    folder = make_model_folder(tmp_path / "tiny")
    network = folder / NETWORK_FILE
    network.write_bytes(network.read_bytes()[:-1] + b"!")
    app = create_app(Settings(serve_models=(str(folder),)))
    with pytest.raises(BrokenModel, match=r"model\.onnx was changed"), TestClient(app):
        pass


def test_two_models_of_one_name_are_a_failure_to_start(tmp_path: Path) -> None:
    folders = [make_model_folder(tmp_path / each / "tiny") for each in "ab"]
    app = create_app(Settings(serve_models=tuple(map(str, folders))))
    words = "two of the models to serve are called 'tiny'"
    with pytest.raises(ModelError, match=words), TestClient(app):
        pass


def test_the_deployed_application_takes_its_settings_from_the_environment(
    tiny: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_SERVE_MODELS", f"{tiny}, {second}")
    app = runpy.run_path(str(ROOT / "deployment/api/main.py"))["app"]
    with TestClient(app) as client:
        assert client.get("/health/ready").json()["models"][1]["name"] == "second"


def test_a_browser_is_shown_the_documentation(client: TestClient) -> None:
    home = client.get("/", follow_redirects=False)
    assert (home.status_code, home.headers["location"]) == (307, "/docs")
    page = client.get("/docs").text
    assert "openapi.json" in page
    assert "https://" not in page  # works without a network
    scripts = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(scripts) >= 2
    assert all(client.get(script).status_code == 200 for script in scripts)


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/models"])
def test_who_asks_for_the_head_gets_that_alone(server: Running, address: str) -> None:
    """Over a socket: it is the server that leaves the body out."""
    whole, head = (httpx.request(each, server.url + address) for each in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    # What readiness counts may have a digit more by then.
    assert int(head.headers["content-length"]) == pytest.approx(len(whole.content), abs=9)
    assert httpx.head(f"{server.url}/predict/tiny").status_code == 405


def test_another_address_and_another_method_are_problems(client: TestClient) -> None:
    missing = client.get("/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    method = client.get("/predict/tiny")
    assert (method.status_code, method.json()["code"]) == (405, "method-not-allowed")
    assert method.json()["detail"] == "this address takes POST"
    assert method.headers["allow"] == "POST"
    several = client.put("/feedback")
    assert several.json()["detail"] == "this address takes GET or POST"
    assert several.headers["allow"] == "GET, POST"
    assert {missing.headers["content-type"], method.headers["content-type"]} == {
        "application/problem+json"
    }


def test_another_method_costs_no_document(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make it holds up all others meanwhile."""
    app = client.app
    assert isinstance(app, FastAPI)
    app.openapi()
    made: list[str] = []
    monkeypatch.setattr(app, "openapi", lambda: made.append("anew"))
    assert client.get("/predict/tiny").headers["allow"] == "POST"
    assert not made


def test_what_nobody_foresaw_tells_nothing(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise OSError("/home/someone/secret.txt")

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/broken")
        assert client.get("/health/live").status_code == 200
    assert response.status_code == 500
    assert response.json()["code"] == "internal-error"
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_a_failing_network_is_an_internal_error(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("/models/tiny/model.onnx: out of registers")

    with monkeypatch.context() as patch:
        patch.setattr("pawsight.inference.classifier.Classifier.look", fail)
        for url, field in (("/predict/tiny", "file"), ("/predict/tiny/batch", "files")):
            response = client.post(url, files={field: picture("red", size=(31, 29))})
            assert response.status_code == 500
            assert response.headers["content-type"] == "application/problem+json"
            assert "registers" not in response.text
    assert client.post("/predict/tiny", files={"file": picture("red")}).json()["label"] == "cat"


def test_validation_errors_of_fastapi_are_problems_without_the_value(settings: Settings) -> None:
    app: FastAPI = create_app(settings)

    @app.get("/count")
    async def count(limit: int) -> int:
        return limit

    with TestClient(app) as client:
        response = client.get("/count", params={"limit": "<b>" + "x" * 5000})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "invalid-request"
    assert response.json()["detail"].startswith("'query.limit': ")
    assert len(response.text) < 500


def test_whatever_the_document_refers_to_is_in_it(client: TestClient) -> None:
    """Redoc shows nothing at all where one reference leads nowhere."""
    document = client.get("/openapi.json").json()
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))
    assert any("Infer" in reference or "Tensor" in reference for reference in references)
    for reference in references:
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_the_documented_requests_work_when_tried(client: TestClient) -> None:
    """Every model, every content type of the document, sent as a form's file field or raw."""
    document = client.get("/openapi.json").json()
    tried = []
    for path, form in (("/predict/{model}", "file"), ("/predict/{model}/batch", "files")):
        operation = document["paths"][path]["post"]
        parameter = operation["parameters"][0]
        assert parameter["schema"]["enum"] == ["tiny", "second"]
        for model in parameter["schema"]["enum"]:
            for media_type, content in operation["requestBody"]["content"].items():
                url = path.format(model=model)
                if media_type == "multipart/form-data":
                    assert list(content["schema"]["properties"]) == [form]
                    response = client.post(url, files={form: picture("red")})
                else:
                    assert content["schema"]["format"] == "binary"
                    headers = {"content-type": media_type}
                    response = client.post(url, content=picture("red"), headers=headers)
                assert response.status_code == 200
                assert str(response.status_code) in operation["responses"]
                tried.append((path, model, media_type))
    assert len(tried) == 8
    for path in ("/models", "/health/live", "/health/ready"):
        assert client.get(path).status_code == 200


def test_the_documented_examples_have_the_form_of_the_answers(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    Answer.model_validate(schemas["Answer"]["example"])
    BatchAnswer.model_validate(schemas["BatchAnswer"]["example"])
    real = client.post("/predict/tiny", files={"file": picture("red")}).json()
    assert set(schemas["Answer"]["example"]) == set(real)


def test_every_problem_is_documented_by_its_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert "Problem" in document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    [(media_type, content)] = response["content"].items()
                    assert media_type == "application/problem+json"
                    examples: dict[str, Any] = content["examples"]
                    for code, example in examples.items():
                        assert example["value"]["code"] == code
                        assert example["value"]["status"] == int(status)


def test_every_kind_of_error_is_in_the_table_of_the_documentation(client: TestClient) -> None:
    rows = re.findall(
        r"^\| (\d{3}) \| (.*) \|$", (ROOT / "docs/service.md").read_text("utf-8"), re.MULTILINE
    )
    listed = {
        (status, code) for status, words in rows for code in re.findall(r"`([a-z-]+)`", words)
    }
    document = client.get("/openapi.json").json()
    answered = {
        (status, code)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for code in response["content"]["application/problem+json"]["examples"]
    }
    assert len(answered) > 20
    assert answered - listed == set()


def test_serving_imports_neither_torch_nor_pandas() -> None:
    heavy = {"torch", "pandas", "lightning", "transformers", "sklearn", "streamlit"}
    code = f"import sys, pawsight.serving.server; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
