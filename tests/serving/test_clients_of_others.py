"""Clients that others wrote, unchanged, against a real server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from pawsight.images.decode import decode
from pawsight.images.preprocess import Preprocessing, preprocess
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.cascades import make_cascade_folder
from tests.pictures import picture, truncated_jpeg
from tests.running import Running, running

HOW = Preprocessing(height=32, width=32, mean=(0, 0, 0), std=(1, 1, 1))


@pytest.fixture(scope="module")
def hub_client(server: Running) -> InferenceClient:
    return InferenceClient(model=f"{server.url}/models/tiny", token="unused", timeout=60)


@pytest.fixture
def triton(server: Running) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(f"127.0.0.1:{server.port}")
    yield client
    client.close()


def predicted(server: Running, data: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(
        f"{server.url}/predict/tiny", content=data, timeout=60
    ).json()
    return answer


def pictures_input(files: list[bytes]) -> InferInput:
    tensor = InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(np.array(files, dtype=np.object_))
    return tensor


def pixels_input(colours: list[str], *, binary: bool) -> InferInput:
    pixels = np.stack([preprocess(decode(picture(each)), HOW) for each in colours])
    tensor = InferInput("pixel_values", list(pixels.shape), "FP32")
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    return tensor


def test_the_hubs_client_classifies(
    hub_client: InferenceClient, server: Running, tmp_path: Path
) -> None:
    """Bytes without a content type, and a file whose name says one."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(picture("red"))
    expected = predicted(server, picture("red"))["probabilities"]
    for sent in (picture("red"), file, str(file)):
        first, second = hub_client.image_classification(sent)
        assert (first.label, second.label) == ("cat", "dog")
        assert first.score == pytest.approx(expected["cat"])
        assert first.score + second.score == pytest.approx(1)


def test_the_hubs_client_asks_for_the_best(hub_client: InferenceClient) -> None:
    """With parameters it sends JSON with the picture in Base64."""
    [only] = hub_client.image_classification(picture("blue"), top_k=1)
    assert only.label == "dog"
    best, *others = hub_client.image_classification(
        picture("blue"), top_k=50, function_to_apply="softmax"
    )
    assert best.label == "dog"
    assert [each.label for each in others] == ["cat"]


def test_the_hubs_client_is_told_neither(hub_client: InferenceClient) -> None:
    first, *others = hub_client.image_classification(picture("black"))
    assert first.label == "neither"
    assert 0.5 < first.score <= 1
    assert {each.label for each in others} == {"cat", "dog"}
    assert first.score + sum(each.score for each in others) == pytest.approx(1)


def test_the_hubs_client_is_told_what_is_wrong(hub_client: InferenceClient) -> None:
    with pytest.raises(HfHubHTTPError, match="the JPEG ends before its picture does"):
        hub_client.image_classification(truncated_jpeg())
    with pytest.raises(HfHubHTTPError, match=r"parameters\.function_to_apply"):
        hub_client.image_classification(picture("red"), function_to_apply="sigmoid")
    with pytest.raises(HfHubHTTPError) as error:
        hub_client.image_classification(picture("red"), model=f"{hub_client.model}/../dog")
    assert error.value.response.status_code == 404


def test_json_that_is_none_of_it_is_refused(server: Running) -> None:
    url, headers = f"{server.url}/models/tiny", {"content-type": "application/json"}
    for body in (b"", b"{", b"[" * 5000, b'{"inputs": "%%%"}', b'{"inputs": 3}', b"\xff\xfe"):
        response = httpx.post(url, content=body, headers=headers, timeout=60)
        assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
        assert not response.json()["detail"].startswith("''")
    many = b"[" + b"1," * 2_000_001
    response = httpx.post(url, content=many, headers=headers, timeout=60)
    assert response.status_code == 413  # over this service's limit before it is parsed
    assert predicted(server, picture("red"))["label"] == "cat"


def test_triton_sees_the_server_and_its_models(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("tiny")
    assert not triton.is_model_ready("dog")
    said = triton.get_server_metadata()
    assert said["name"] == "pawsight"
    assert said["extensions"] == ["binary_tensor_data", "classification"]
    said = triton.get_model_metadata("tiny")
    assert said["inputs"] == [
        {"name": "image", "datatype": "BYTES", "shape": [-1]},
        {"name": "pixel_values", "datatype": "FP32", "shape": [-1, 3, 32, 32]},
    ]
    [version] = said["versions"]
    assert triton.is_model_ready("tiny", version)
    assert not triton.is_model_ready("tiny", "000000000000")
    assert triton.get_model_metadata("tiny", version) == said


def test_triton_sends_pictures(triton: InferenceServerClient, server: Running) -> None:
    files = [picture("red"), picture("blue", "PNG"), picture("black")]
    result = triton.infer("tiny", [pictures_input(files)], request_id="seven")
    assert result.as_numpy("label").tolist() == [b"cat", b"dog", b"neither"]
    assert result.as_numpy("probabilities").shape == (3, 2)
    expected = [predicted(server, each) for each in files]
    for output in ("confidence", "score"):
        assert result.as_numpy(output) == pytest.approx([each[output] for each in expected], 1e-5)
    assert result.as_numpy("decided_by")[0].startswith(b"tiny@")
    said = result.get_response()
    assert (said["id"], said["model_name"]) == ("seven", "tiny")
    assert triton.infer("tiny", [pictures_input(files)], said["model_version"])


@pytest.mark.parametrize("binary", [True, False])
def test_triton_sends_tensors(
    triton: InferenceServerClient, server: Running, *, binary: bool
) -> None:
    """Either way, and the answers either way."""
    outputs = [
        InferRequestedOutput("score", binary_data=binary),
        InferRequestedOutput("label", binary_data=not binary),
    ]
    tensor = pixels_input(["red", "blue"], binary=binary)
    result = triton.infer("tiny", [tensor], outputs=outputs)
    assert [
        str(each, "utf-8") if isinstance(each, bytes) else each
        for each in result.as_numpy("label").tolist()
    ] == ["cat", "dog"]
    expected = [predicted(server, picture(each))["score"] for each in ("red", "blue")]
    assert result.as_numpy("score") == pytest.approx(expected, 1e-5)
    assert result.as_numpy("confidence") is None


@pytest.mark.parametrize("binary", [True, False])
def test_triton_asks_for_the_most_probable_classes(
    triton: InferenceServerClient, server: Running, *, binary: bool
) -> None:
    files = [picture("red"), picture("blue")]

    def asked(most: int) -> list[list[tuple[float, str, str]]]:
        wanted = InferRequestedOutput("probabilities", binary_data=binary, class_count=most)
        result = triton.infer("tiny", [pictures_input(files)], outputs=[wanted])
        texts = [
            [each.decode() if isinstance(each, bytes) else each for each in row]
            for row in result.as_numpy("probabilities").tolist()
        ]
        parts = [[each.split(":") for each in row] for row in texts]
        return [[(float(value), *which) for value, *which in row] for row in parts]

    assert [[each[1:] for each in row] for row in asked(1)] == [[("0", "cat")], [("1", "dog")]]
    for row, file in zip(asked(5), files, strict=True):  # all, where there are fewer
        expected = predicted(server, file)["probabilities"]
        assert {label: value for value, _, label in row} == pytest.approx(expected, abs=1e-5)
        assert row == sorted(row, reverse=True)


def test_triton_is_told_what_is_wrong(triton: InferenceServerClient) -> None:
    def refused(name: str, tensor: InferInput, **more: Any) -> str:
        with pytest.raises(InferenceServerException) as error:
            triton.infer(name, [tensor], **more)
        return str(error.value)

    files = [picture("red"), truncated_jpeg()]
    assert "picture 1: truncated: the JPEG ends" in refused("tiny", pictures_input(files))
    assert "no model 'dog'" in refused("dog", pictures_input(files))
    assert "at most 8" in refused("tiny", pictures_input([picture("red")] * 9))
    wanted = [InferRequestedOutput("logits")]
    words = refused("tiny", pictures_input(files), outputs=wanted)  # before a picture is looked at
    assert "no output 'logits'; there are label, confidence" in words
    for name, count, said in (
        ("score", 1, "'score' has no classes; 'probabilities' has"),
        ("probabilities", -1, "classification must be a whole number, 1 or more"),
    ):
        wanted = [InferRequestedOutput(name, class_count=count)]
        assert said in refused("tiny", pictures_input(files), outputs=wanted)
    other = InferInput("pixel_values", [1, 3, 8, 8], "FP32")
    other.set_data_from_numpy(np.zeros((1, 3, 8, 8), np.float32))
    assert "its shape must be [N, 3, 32, 32]" in refused("tiny", other)
    for wrong in (np.nan, 3e38):
        other = InferInput("pixel_values", [1, 3, 32, 32], "FP32")
        other.set_data_from_numpy(np.full((1, 3, 32, 32), wrong, np.float32))
        assert "'pixel_values': " in refused("tiny", other)
    packed = pictures_input([picture("red")])
    assert "encoding 'gzip'" in refused("tiny", packed, request_compression_algorithm="gzip")


def test_triton_asks_a_cascade_with_pictures_alone(tmp_path: Path) -> None:
    folder = make_cascade_folder(tmp_path / "both")
    with running(create_app(Settings(serve_models=(str(folder),)))) as server:
        client = InferenceServerClient(f"127.0.0.1:{server.port}")
        [only] = client.get_model_metadata("both")["inputs"]
        assert only["name"] == "image"
        result = client.infer("both", [pictures_input([picture("red"), picture("black")])])
        deciding = [each.split(b"@")[0] for each in result.as_numpy("decided_by")]
        assert deciding == [b"fast", b"strong"]
        with pytest.raises(InferenceServerException, match="asks two networks"):
            client.infer("both", [pixels_input(["red"], binary=True)])
        client.close()


@pytest.mark.parametrize(
    ("body", "length", "words"),
    [
        (b"{}", None, "'inputs': is missing"),
        (b'{"inputs": []}', None, "'inputs': "),
        (b"[" * 5000, None, "recursion"),
        (b"{}", "3", "is 3, and the body has 2 bytes"),
        (b"{}", "-1", "must be a whole number"),
        (b'{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES"}]}', None, "no data"),
        (
            b'{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",'
            b' "parameters": {"binary_data_size": 99}}]}',
            None,
            "binary_data_size is 99, and 0 bytes are left",
        ),
        (
            b'{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",'
            b' "data": ["not base64!"]}]}',
            None,
            "must be pictures in Base64",
        ),
        (
            b'{"inputs": [{"name": "pixel_values", "shape": [1, 3, 32, 32], "datatype": "FP32",'
            b' "data": [[1, 2], [3]]}]}',
            None,
            "must be numbers",
        ),
        (
            b'{"inputs": [{"name": "image", "shape": [1], "datatype": "FP32", "data": [1]}]}',
            None,
            "its datatype must be BYTES, not 'FP32'",
        ),
        (
            b'{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",'
            b' "parameters": {"binary_data_size": 99}}]}' + bytes(99),
            "106",
            "its shape has 1 elements, and more were sent",
        ),
        (
            b'{"inputs": [{"name": "image", "shape": [2], "datatype": "BYTES", "data": [""]}]}',
            None,
            "its shape has 2 elements, and 1 were sent",
        ),
    ],
)
def test_requests_that_make_no_sense_are_problems(
    server: Running, body: bytes, length: str | None, words: str
) -> None:
    headers = {"inference-header-content-length": length} if length else {}
    url = f"{server.url}/v2/models/tiny/infer"
    response = httpx.post(url, content=body, headers=headers, timeout=60)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid-request")
    assert response.headers["content-type"] == "application/problem+json"
    assert words in problem["detail"]
    assert problem["error"] == problem["detail"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("http", ["--http1.1", "--http2", "--http1.0"])
def test_curl_sends_a_form_and_a_raw_body(server: Running, tmp_path: Path, http: str) -> None:
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
    if http == "--http2" and "HTTP2" not in version.stdout:
        pytest.skip("this curl was built without HTTP/2")
    file = tmp_path / "a picture.jpg"
    file.write_bytes(picture("red"))
    url = f"{server.url}/predict/tiny"
    ways: list[list[str]] = [["-F", f"file=@{file}"], ["--data-binary", f"@{file}"]]
    for way in (*ways, [*ways[1], "-H", "Content-Type: image/jpeg"]):
        command = ["curl", http, "--silent", "--max-time", "60", *way, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert '"label":"cat"' in done.stdout.replace(" ", "")
