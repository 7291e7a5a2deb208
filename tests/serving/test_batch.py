from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.datastructures import UploadFile
from starlette.testclient import TestClient

from pawsight.inference.classifier import Classifier
from pawsight.inference.model import Model
from pawsight.serving.routes.batches import Batch
from pawsight.serving.state import State
from tests.pictures import picture, truncated_jpeg
from tests.running import Running


def send(client: TestClient, *files: tuple[str, bytes], model: str = "tiny") -> Any:
    return client.post(f"/predict/{model}/batch", files=[("files", file) for file in files])


def test_one_bad_picture_is_its_record_and_the_others_are_answered(client: TestClient) -> None:
    response = send(
        client,
        ("one.jpg", picture("red")),
        ("half.jpg", truncated_jpeg()),
        ("two.png", picture("blue", "PNG")),
        ("three.jpg", picture("black")),
        ("letter.txt", b"dear service"),
        ("four.webp", picture("red", "WEBP")),
    )
    assert response.status_code == 200
    records = response.json()["records"]
    assert [record["file"] for record in records] == [
        "one.jpg", "half.jpg", "two.png", "three.jpg", "letter.txt", "four.webp",
    ]  # fmt: skip
    labels = [record["prediction"] and record["prediction"]["label"] for record in records]
    assert labels == ["cat", None, "dog", "neither", None, "cat"]
    codes = [record["problem"] and record["problem"]["code"] for record in records]
    assert codes == [None, "truncated", None, None, "not-an-image", None]
    assert records[1]["problem"]["detail"] == "truncated: the JPEG ends before its picture does"
    ids = {record["prediction"]["id"] for record in records if record["prediction"]}
    assert len(ids) == 4


def test_where_a_model_fails_nothing_of_the_batch_goes_on_after_its_answer() -> None:
    class Failing:
        settings = SimpleNamespace(max_bytes=9)

        async def classify(self, _: object, data: bytes) -> None:
            if data == b"0":
                raise RuntimeError("out of registers")
            await asyncio.sleep(60)

    async def ask() -> set[asyncio.Task[Any]]:
        files = [UploadFile(io.BytesIO(b"%d" % each), filename=f"{each}.jpg") for each in range(9)]
        with pytest.raises(RuntimeError, match="out of registers"):
            await Batch(cast(State, Failing()), cast(Model, None), files).answer()
        return asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}

    assert not asyncio.run(ask())


def test_a_picture_over_the_limit_is_its_record(client: TestClient) -> None:
    big = picture("red", "BMP", size=(400, 200))
    records = send(client, ("big.bmp", big), ("one.jpg", picture("blue"))).json()["records"]
    assert records[0]["problem"]["status"] == 413
    assert records[1]["prediction"]["label"] == "dog"


def test_too_many_pictures_are_refused(client: TestClient) -> None:
    response = send(client, *[("a.jpg", picture("red", size=(8, 8)))] * 9)
    assert response.status_code == 413
    assert response.json()["detail"] == "too many files: at most 8 in a request"
    assert len(send(client, *[("a.jpg", picture("red"))] * 8).json()["records"]) == 8


def test_a_batch_over_the_limit_is_refused(client: TestClient) -> None:
    response = send(client, *[("a.bmp", picture("red", "BMP", size=(250, 250)))] * 7)
    assert response.status_code == 413
    assert response.json()["detail"] == "too large: the body has more than 1 000 000 bytes"


def test_a_batch_without_files_is_told_the_field(client: TestClient) -> None:
    response = client.post("/predict/tiny/batch", files={"file": picture("red")})
    assert response.status_code == 422
    assert response.json()["detail"].startswith("the form has no field 'files'; its fields: 'file'")


def test_a_batch_is_a_form(client: TestClient) -> None:
    response = client.post(
        "/predict/tiny/batch", content=picture("red"), headers={"content-type": "image/jpeg"}
    )
    assert response.status_code == 415
    assert "each picture in a field 'files'" in response.json()["detail"]


def test_models_are_found_before_a_batch_is_read(client: TestClient) -> None:
    assert send(client, ("a.jpg", b""), model="dog").status_code == 404


def test_a_long_file_name_is_cut(client: TestClient) -> None:
    [record] = send(client, ("n" * 900 + ".jpg", picture("red"))).json()["records"]
    assert len(record["file"]) == 255


@pytest.mark.parametrize("media_type", ["application/jsonl", "application/x-ndjson"])
def test_lines_of_json_come_in_the_order_of_the_pictures(
    client: TestClient, media_type: str
) -> None:
    colours = ["red", "blue", "black", "red", "blue", "red", "blue"]
    files = [("files", (f"{n}.jpg", picture(each))) for n, each in enumerate(colours)]
    files.insert(3, ("files", ("half.jpg", truncated_jpeg())))
    response = client.post("/predict/tiny/batch", files=files, headers={"accept": media_type})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)
    records = [json.loads(line) for line in response.text.splitlines()]
    assert records[3]["problem"]["code"] == "truncated"
    labels = [each["prediction"] and each["prediction"]["label"] for each in records]
    assert labels == ["cat", "dog", "neither", None, "cat", "dog", "cat", "dog"]
    assert [each["file"] for each in records][:4] == ["0.jpg", "1.jpg", "2.jpg", "half.jpg"]


def test_http_1_0_which_knows_no_chunks_has_all_lines_together(server: Running) -> None:
    form = httpx.Request(
        "POST", server.url, files=[("files", picture("red")), ("files", picture("blue"))]
    )
    body = form.read()
    head = (
        "POST /predict/tiny/batch HTTP/1.0\r\nAccept: application/jsonl\r\n"
        f"Content-Type: {form.headers['content-type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    said, _, lines = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in said
    assert f"content-length: {len(lines)}".encode() in said
    labels = [json.loads(each)["prediction"]["label"] for each in lines.splitlines()]
    assert labels == ["cat", "dog"]


def test_a_line_comes_before_the_rest_is_computed(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    read = Classifier.read

    def wait(network: Classifier, data: Any, *more: Any) -> Any:
        if data == picture("blue", size=(50, 51)):
            assert held.wait(60)
        return read(network, data, *more)

    monkeypatch.setattr(Classifier, "read", wait)
    files = [("files", picture("red", size=(52, 51))), ("files", picture("blue", size=(50, 51)))]
    with httpx.stream(
        "POST",
        f"{server.url}/predict/tiny/batch",
        files=files,
        headers={"accept": "application/jsonl"},
        timeout=60,
    ) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines))["prediction"]["label"] == "cat"
        held.set()
        assert json.loads(next(lines))["prediction"]["label"] == "dog"


def test_a_failing_network_is_said_in_the_lines(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/models/tiny/model.onnx: out of registers")

    monkeypatch.setattr("pawsight.inference.classifier.Classifier.look", fail)
    response = client.post(
        "/predict/tiny/batch",
        files=[("files", ("a.jpg", picture("red", size=(53, 51)))), ("files", truncated_jpeg())],
        headers={"accept": "application/jsonl"},
    )
    first, second = map(json.loads, response.text.splitlines())
    assert (first["file"], first["problem"]["code"]) == ("a.jpg", "internal-error")
    assert second["problem"]["code"] == "truncated"
    assert "registers" not in response.text
