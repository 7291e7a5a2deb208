from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from tests.pictures import picture, truncated_jpeg


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
