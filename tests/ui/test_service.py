"""What the page is told about a service that misbehaves."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.ui.service import KEY_VARIABLE, Refused, Service, Unavailable
from tests.pictures import picture
from tests.running import Running, running


def service_that(answer: Callable[[httpx.Request], httpx.Response]) -> Service:
    return Service("http://pawsight.test/", httpx.MockTransport(answer))


def test_a_real_service_answers(service: Running) -> None:
    client = Service(service.url)
    tiny, second = client.models()
    assert (tiny.name, tiny.labels) == ("tiny", ("cat", "dog"))
    assert second.name == "second"
    answer = client.classify("tiny", picture("red"))
    assert answer.label == "cat"
    assert answer.model.name == "tiny"
    with pytest.raises(Refused, match="not an image: this looks like text"):
        client.classify("tiny", b"dear service")
    with pytest.raises(Unavailable, match="no model 'dog'"):
        client.classify("dog", picture("red"))
    service.stop()
    with pytest.raises(Unavailable, match="does not answer"):
        client.models()


def test_an_address_that_is_none_is_said() -> None:
    for url, words in (
        ("http://127.0.0.1:1", "does not answer"),
        ("http://[", "does not answer"),
        ("nonsense", "no address of a service: 'nonsense'; one is http://"),
        ("ftp://somewhere", "no address of a service"),
        ("http://127.0.0.1:port", "no address of a service"),
    ):
        with pytest.raises(Unavailable, match=words):
            Service(url).models()


def test_slowness_is_said() -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    with pytest.raises(Unavailable, match="takes too long to answer"):
        service_that(late).models()


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, "<html>hello"), (200, "{}"), (200, '{"models": [1]}'), (404, "not here"), (502, "{}")],
)
def test_something_else_at_the_address_is_said(status: int, text: str) -> None:
    with pytest.raises(Unavailable, match="is not a pawsight service"):
        service_that(lambda _: httpx.Response(status, text=text)).models()


def test_a_busy_service_is_no_refusal_of_the_picture() -> None:
    busy = httpx.Response(503, json={"detail": "busy: try again"})
    with pytest.raises(Unavailable, match="busy: try again"):
        service_that(lambda _: busy).classify("tiny", b"")


def test_any_name_of_a_model_is_one_part_of_the_path() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(422, json={"detail": "no"})

    with pytest.raises(Refused):
        service_that(answer).classify("a/../ü #1?", b"")
    assert asked == [b"/predict/a%2F..%2F%C3%BC%20%231%3F"]


@pytest.mark.parametrize(
    ("key", "words"), [("", "this page has none: "), ("x" * 16, "does not know this page's key: ")]
)
def test_a_page_without_the_right_key_says_who_gives_it_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str, words: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    own = Settings(
        serve_models=settings.serve_models, records="off", api_keys=SecretStr(f"shop {'0' * 16}")
    )
    with (
        running(create_app(own)) as service,
        pytest.raises(Unavailable, match=words) as refused,
    ):
        Service(service.url).models()
    assert "whoever runs the page sets PAWSIGHT_API_KEY" in str(refused.value)
    assert "Bearer" not in str(refused.value)
