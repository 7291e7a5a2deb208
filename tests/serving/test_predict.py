"""One picture in, one answer out; and everything that is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.pictures import bomb, damaged_png, picture, truncated_jpeg

FORM = {"content-type": "multipart/form-data; boundary=x"}


def label(client: TestClient, colour: str) -> str:
    response = client.post("/predict/tiny", files={"file": ("a.jpg", picture(colour))})
    assert response.status_code == 200, response.text
    return str(response.json()["label"])


def refused(client: TestClient, url: str = "/predict/tiny", **request: Any) -> dict[str, Any]:
    """Send what is refused; check the document's form, and that the next good one is answered."""
    response = client.post(url, **request)
    problem: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert "Traceback" not in response.text
    assert label(client, "red") == "cat"
    return problem


@pytest.mark.parametrize(
    ("colour", "expected"),
    [("red", "cat"), ("blue", "dog"), ("green", "neither"), ("black", "neither")],
)
def test_the_answer_is_about_the_picture(client: TestClient, colour: str, expected: str) -> None:
    assert label(client, colour) == expected


def test_an_answer_has_all_its_parts(client: TestClient) -> None:
    first, second = (
        client.post("/predict/tiny", files={"file": picture("red")}).json() for _ in range(2)
    )
    assert set(first) == {
        "id",
        "label",
        "confidence",
        "probabilities",
        "score",
        "model",
        "decided_by",
    }
    assert list(first["probabilities"]) == ["cat", "dog"]
    assert math.isclose(sum(first["probabilities"].values()), 1)
    assert first["confidence"] == first["probabilities"]["cat"] > 0.9
    assert first["model"]["name"] == "tiny"
    assert first["model"]["source"] == "local"
    assert first["decided_by"] == first["model"]
    assert len(first["model"]["version"]) == 12
    assert len(first["id"]) == 32
    assert first["id"] != second["id"]
    assert first["score"] == second["score"]


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "image/png", "IMAGE/X-anything; q=1", "application/octet-stream"]
)
def test_a_raw_body_is_a_picture_whatever_image_it_is_called(
    client: TestClient, content_type: str
) -> None:
    """Also where the content type lies: the bytes say what they are."""
    response = client.post(
        "/predict/tiny", content=picture("blue"), headers={"content-type": content_type}
    )
    assert response.json()["label"] == "dog"


def test_a_raw_body_without_content_type_is_taken_for_octets(client: TestClient) -> None:
    response = client.post("/predict/tiny", content=picture("blue", "PNG"))
    assert response.json()["label"] == "dog"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_other_formats_are_read_under_any_name(client: TestClient, kind: str) -> None:
    file = ("photo.jpg", picture("red", kind), "image/jpeg")
    assert client.post("/predict/tiny", files={"file": file}).json()["label"] == "cat"


@pytest.mark.parametrize(
    ("data", "status", "code", "words"),
    [
        (b"", 415, "not-an-image", "not an image: the file is empty"),
        (b"dear service,\n", 415, "not-an-image", "not an image: this looks like text"),
        (b"<html><body>", 415, "not-an-image", "not an image: this is a web page (HTML)"),
        (b"<svg xmlns='x'/>", 415, "unsupported-format", "unsupported format: SVG"),
        (truncated_jpeg(), 422, "truncated", "truncated: the JPEG ends before its picture does"),
        (damaged_png(), 422, "damaged", "damaged: this PNG cannot be decoded"),
        (
            picture("red", size=(1, 1)),
            422,
            "too-small",
            "too small: 1×1 pixels show nothing, at least 8×8 do",
        ),
        (bomb(), 413, "too-large", "too large: 30000×30000 pixels, limit 52 million"),
    ],
)
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "form"])
def test_a_bad_picture_is_refused_in_words(
    client: TestClient, data: bytes, status: int, code: str, words: str, raw: bool
) -> None:
    body: dict[str, Any] = (
        {"content": data, "headers": {"content-type": "image/jpeg"}}
        if raw
        else {"files": {"file": ("photo.jpg", data, "image/jpeg")}}
    )
    problem = refused(client, **body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"].startswith(words)


def test_a_file_over_the_limit_is_refused(client: TestClient) -> None:
    big = picture("red", "BMP", size=(400, 200))
    for body in ({"content": big}, {"files": {"file": big}}):
        problem = refused(client, **body)
        assert (problem["status"], problem["code"]) == (413, "too-large")
        assert "200 000 bytes" in problem["detail"] or "limit 200 000" in problem["detail"]


def test_a_request_without_a_body_is_told_what_to_send(client: TestClient) -> None:
    problem = refused(client)
    assert (problem["status"], problem["code"]) == (422, "missing-file")
    assert problem["detail"].startswith("there is no body; send a form")


def test_a_form_without_the_field_is_told_its_name(client: TestClient) -> None:
    problem = refused(client, files={"image": picture("red")})
    assert (problem["status"], problem["code"]) == (422, "missing-file")
    assert problem["detail"].startswith("the form has no field 'file'; its fields: 'image'")


def test_a_field_of_text_is_no_file(client: TestClient) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nphoto.jpg\r\n--x--\r\n'
    problem = refused(client, content=part, headers=FORM)
    assert (problem["status"], problem["code"]) == (422, "missing-file")
    assert "holds text and not a file" in problem["detail"]


def test_two_files_are_one_too_many(client: TestClient) -> None:
    problem = refused(client, files=[("file", picture("red")), ("file", picture("blue"))])
    assert (problem["status"], problem["code"]) == (413, "too-many-files")


@pytest.mark.parametrize(
    ("content", "content_type", "words"),
    [
        (b"x", "multipart/form-data", "the content type names no boundary"),
        (b"not a form at all", "multipart/form-data; boundary=x", "is not divided by the boundary"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
            "multipart/form-data; boundary=x",
            'field "name" must be provided',
        ),
    ],
    ids=["no boundary", "no form", "no name"],
)
def test_an_invalid_form_is_refused(
    client: TestClient, content: bytes, content_type: str, words: str
) -> None:
    problem = refused(client, content=content, headers={"content-type": content_type})
    assert (problem["status"], problem["code"]) == (400, "invalid-multipart")
    assert words in problem["detail"]


def test_a_form_that_ends_too_early_has_no_file(client: TestClient) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\xd8\xff'
    problem = refused(client, content=part, headers=FORM)
    assert problem["code"] in ("missing-file", "invalid-multipart")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/pdf"])
def test_another_content_type_is_told_what_to_send(client: TestClient, content_type: str) -> None:
    problem = refused(client, content=b"{}", headers={"content-type": content_type})
    assert (problem["status"], problem["code"]) == (415, "unsupported-content-type")
    assert problem["detail"].startswith(f"the content type '{content_type}' is not read here; send")


def test_an_unknown_model_is_told_which_there_are(client: TestClient) -> None:
    problem = refused(client, "/predict/dog", content=picture("red"))
    assert (problem["status"], problem["code"]) == (404, "unknown-model")
    assert problem["detail"] == "no model 'dog'; this service has tiny, second"


@pytest.mark.parametrize(
    "name", ["..%5c..%5cetc", "%00%0a%1b[31m", "x" * 5000, "%ff%fe", "tiny%20", "<script>", "."]
)
def test_any_name_is_only_a_name(client: TestClient, name: str) -> None:
    problem = refused(client, f"/predict/{name}", content=picture("red"))
    assert problem["status"] == 404
    assert len(problem["detail"]) < 200
    assert problem["detail"].isprintable()


def test_a_name_cannot_be_a_path(client: TestClient, settings: Any) -> None:
    path = settings.serve_models[0].replace("/", "%2F")
    assert refused(client, f"/predict/{path}", content=picture("red"))["status"] == 404


def test_long_text_of_a_client_is_cut(client: TestClient) -> None:
    problem = refused(client, content=b"", headers={"content-type": "text/" + "p" * 4000})
    assert len(problem["detail"]) < 400
    problem = refused(client, files={"n" * 4000: b"x"})
    assert len(problem["detail"]) < 400
