"""Forms of one file, taken apart without a parser: to the byte as the parser would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.only_file import only_file
from pawsight.serving.settings import Settings
from tests.pictures import picture

PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
TYPE = "multipart/form-data; boundary=x"
FORM = PART + b"Content-Type: image/jpeg\r\n\r\n\xff\xd8 two lines\r\n--\r\n\r\n--x--\r\n"


async def parsed(content_type: str, body: bytes) -> FormData:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    return await MultiPartParser(Headers({"content-type": content_type}), stream()).parse()


async def content(form: FormData) -> bytes:
    [(name, file)] = form.multi_items()
    assert name == "file"
    assert isinstance(file, UploadFile)
    return await file.read()


@given(st.binary(max_size=300), st.sampled_from(["a.jpg", "", "Ünïcode.png", 'quo"te', "a;b=c"]))
def test_what_a_client_sends_is_taken_apart(data: bytes, name: str) -> None:
    request = httpx.Request("POST", "http://x", files={"file": (name, data)})
    taken = only_file(request.headers["content-type"], request.read(), "file")
    assert taken in (data, None)
    assert taken == data or name in ("", 'quo"te')  # httpx makes fields of files without names


def test_it_is_what_stands_between_the_lines() -> None:
    assert only_file(TYPE, FORM, "file") == b"\xff\xd8 two lines\r\n--\r\n"
    assert only_file(TYPE.replace("x", '"x"'), FORM, "file") == b"\xff\xd8 two lines\r\n--\r\n"
    assert only_file(TYPE, PART + b"\r\n\r\n--x--", "file") == b""


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TYPE, FORM.replace(b'name="file"', b'name="other"')),
        (TYPE, FORM.replace(b'; filename="a.jpg"', b"")),
        (TYPE, FORM.replace(b"image/jpeg", b"image/jpeg\r\nContent-Transfer-Encoding: base64")),
        (TYPE, FORM[:-7] + FORM),  # two files
        (TYPE, FORM + b"after the end"),
        (TYPE, b"before the beginning\r\n" + FORM),
        (TYPE, FORM[:-4]),
        (TYPE, b""),
        ("multipart/form-data", FORM),
        (TYPE + "; charset=utf-8", FORM),
    ],
)
def test_anything_else_is_for_the_parser(content_type: str, body: bytes) -> None:
    assert only_file(content_type, body, "file") is None


PIECES = st.sampled_from(
    [b"--x", b"--x--", b"\r\n", b"--", b"\n", b" ", PART, FORM, b"\xff", b'name="file"', b"--xy"]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=6), st.integers(0, len(FORM)), st.integers(0, 3))
def test_the_parser_agrees(pieces: list[bytes], at: int, less: int) -> None:
    body = FORM[:at] + b"".join(pieces) + FORM[at + less :]
    taken = only_file(TYPE, body, "file")
    if taken is not None:
        assert asyncio.run(_content_of(body)) == taken


async def _content_of(body: bytes) -> bytes:
    try:
        return await content(await parsed(TYPE, body))
    except (MultiPartException, HTTPException) as error:
        raise AssertionError("it was no form") from error


def test_a_form_that_holds_more_is_parsed_whole(tiny: Path) -> None:
    large = picture("red") + bytes(300_000)  # behind its end, a JPEG may have anything
    with TestClient(create_app(Settings(serve_models=(str(tiny),), cache=0))) as client:
        answers = [
            client.post("/predict/tiny", files={"file": ("a.jpg", large)}, data=more)
            for more in ({}, {"comment": "mine"})
        ]
    assert [each.status_code for each in answers] == [200, 200], answers[1].text
    assert answers[0].json()["confidence"] == answers[1].json()["confidence"]
