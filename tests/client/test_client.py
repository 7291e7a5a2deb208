"""Our own client, sync and async, against a real service."""

from __future__ import annotations

import io
import os
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
from PIL import Image

from pawsight.client import (
    AsyncClient,
    Client,
    ClientError,
    NoService,
    Record,
    Refused,
    TooSlow,
    Unreachable,
)
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.pictures import picture, truncated_jpeg
from tests.running import Running, running
from tests.zips import drawn_files, zipped

KEY = "shop-key-0123456789"


def test_everything_that_can_be_asked(service: Running, tmp_path: Path) -> None:
    file = tmp_path / "red.jpg"
    file.write_bytes(picture("red"))
    with Client(service.url) as client:
        data = file.read_bytes()
        for sent in (file, str(file), data, bytearray(data), memoryview(data), io.BytesIO(data)):
            answer = client.predict(sent, "tiny")
            assert (answer.label, answer.model.name) == ("cat", "tiny")
        first, second = client.predict_batch([file, truncated_jpeg()], "tiny")
        assert (first.file, first.problem) == ("red.jpg", None)
        assert first.prediction
        assert first.prediction.label == "cat"
        assert second.problem
        assert (second.file, second.problem.code) == ("1", "truncated")
        why = client.explain(file, "tiny", "dog")
        assert Image.open(io.BytesIO(why.png)).format == "PNG"
        assert (why.label, why.explained, why.method) == ("cat", "dog", "occlusion")
        assert why.confidence == pytest.approx(answer.confidence, abs=1e-6)
        assert why.model.startswith("tiny@")
        names = [each.prediction.model.name for each in client.compare(file)]
        assert names == ["tiny", "second"]
        assert [each.name for each in client.models()] == ["tiny", "second"]
        assert client.ready().versions["pawsight"]
        [told, _] = httpx.get(f"{service.url}/drift", timeout=60).json()["models"]
        assert set(client.drift().models[0].model_dump()) == set(told)


def test_the_same_without_blocking(service: Running) -> None:
    async def ask() -> None:
        async with AsyncClient(service.url) as client:
            assert (await client.predict(picture("blue"), "tiny")).label == "dog"
            [record] = await client.predict_batch([picture("red")], "tiny")
            assert record.prediction
            assert (await client.explain(picture("red"), "tiny")).label == "cat"
            assert len(await client.compare(picture("red"))) == 2
            assert len(await client.models()) == 2
            assert (await client.ready()).status == "ready"
            with pytest.raises(Refused, match="no model 'dog'"):
                await client.predict(picture("red"), "dog")

    anyio.run(ask)


def test_what_is_right_can_be_said(settings: Settings, tmp_path: Path) -> None:
    """Sync and async, in turns."""
    file = tmp_path / "purple.jpg"
    file.write_bytes(picture("purple"))
    records = f"sqlite:///{tmp_path / 'records.db'}"
    with running(create_app(Settings(**{**settings.model_dump(), "records": records}))) as server:

        async def ask() -> None:
            async with AsyncClient(server.url) as client:
                answer = await client.predict(file, "tiny")
                said = await client.feedback(answer.id, "dog", comment="violet", picture=file)
                assert (said.label, said.replaced, said.picture) == ("dog", None, True)
                assert (await client.recorded(answer.id)).feedback == said
                assert await client.recorded_picture(answer.id) == file.read_bytes()
                assert await client.to_review() == []
                assert [each.id for each in await client.decided()] == [answer.id]
                assert await client.decided(digest="0" * 64) == []
                assert (await client.card("tiny")).card["labels"] == ["cat", "dog"]

        anyio.run(ask)
        with Client(server.url) as client:
            answer = client.predict(picture("red"), "second")
            ready = client.ready().record
            assert ready
            assert ready.status == "written"
            assert client.feedback(client.predict(file, "tiny").id, "wrong").replaced is None
            [item] = client.to_review(limit=5)
            assert item.answers[0] == client.recorded(answer.id)
            assert client.to_review(model="tiny") == [item]  # which knows the same labels
            with pytest.raises(Refused, match="no model 'nobody'"):
                client.to_review(model="nobody")
            [decided] = client.decided(limit=1)
            assert client.decided(1, digest=decided.digest) == [decided]
            assert client.decided(digest="0" * 64) == []
            assert decided.feedback
            assert decided.feedback.label == "wrong"
            assert client.card("second").architecture == "mean colour, linear layer"
            with pytest.raises(Refused) as error:
                client.recorded_picture(answer.id)
            assert error.value.problem.code == "no-picture"


def test_pictures_to_train_on_are_sent(settings: Settings, tmp_path: Path) -> None:
    pets = tmp_path / "pets.zip"
    pets.write_bytes(zipped(drawn_files(3)))
    trains = settings.model_copy(update={"training": True, "training_dir": tmp_path / "training"})
    with running(create_app(trains)) as server:
        with Client(server.url) as client:
            sent = [client.send_dataset(each).labels for each in (pets, pets.read_bytes())]

        async def send() -> None:
            async with AsyncClient(server.url) as client:
                sent.append((await client.send_dataset(pets)).labels)
                with pytest.raises(FileNotFoundError):
                    await client.send_dataset(tmp_path / "none.zip")

        anyio.run(send)
        assert sent == [{"cat": 3, "dog": 3}] * 3


class Sink(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes what is sent and keeps nothing of it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        return self._took(request, sum(len(part) for part in request.stream))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        taken = 0
        async for part in request.stream:
            taken += len(part)
        return self._took(request, taken)

    def _took(self, request: httpx.Request, taken: int) -> httpx.Response:
        self.taken.append((request.headers["Content-Length"], taken))
        return httpx.Response(201, json={"id": "1", "pictures": 0, "labels": {}, "usable": False})


def test_an_archive_is_not_held_in_memory(tmp_path: Path) -> None:
    size, most = 64_000_000, 8_000_000
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(size)
    sink = Sink()

    async def send() -> None:
        async with AsyncClient(transport=sink) as client:
            await client.send_dataset(large)

    with Client(transport=sink) as client:
        tracemalloc.start()
        try:
            client.send_dataset(large)
            anyio.run(send)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert sink.taken == [(str(size), size)] * 2
    assert peak < most


def test_a_slow_disk_keeps_nothing_else_from_going_on(service: Running, tmp_path: Path) -> None:
    slow = tmp_path / "slow.jpg"
    os.mkfifo(slow)
    went_on = threading.Event()

    def write() -> bool:
        others_went_on = went_on.wait(5)
        slow.write_bytes(picture("blue"))
        return others_went_on

    async def ask() -> None:
        async with AsyncClient(service.url) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(answered, client)
            await anyio.sleep(0.1)
            went_on.set()

    async def answered(client: AsyncClient) -> None:
        assert (await client.predict(slow, "tiny")).label == "dog"

    with ThreadPoolExecutor(1) as disk:
        written = disk.submit(write)
        anyio.run(ask)
        assert written.result(), "all waited for the disk"


def test_a_refusal_carries_the_problem(service: Running) -> None:
    with Client(service.url) as client:
        with pytest.raises(Refused, match="the JPEG ends before") as error:
            client.predict(truncated_jpeg(), "tiny")
        problem = error.value.problem
        assert (problem.code, problem.status) == ("truncated", 422)
        assert problem.request_id
        assert error.value.retry_after is None
        with pytest.raises(FileNotFoundError):
            client.predict("nowhere.jpg", "tiny")


def test_a_key_is_sent_and_a_rate_is_told(settings: Settings) -> None:
    values = {**settings.model_dump(), "api_keys": f"shop {KEY} 1/minute"}
    with running(create_app(Settings(**values))) as server:
        with Client(server.url) as client, pytest.raises(Refused) as error:
            client.models()
        assert error.value.problem.code == "unauthorized"
        with Client(server.url, api_key=KEY) as client:
            assert client.models()
            with pytest.raises(Refused) as error:
                client.models()
        assert error.value.problem.code == "too-many-requests"
        assert error.value.retry_after
        assert 0 < error.value.retry_after <= 60


def test_what_is_no_service_is_said() -> None:
    def client(answer: httpx.Response | Exception) -> Client:
        def respond(_: httpx.Request) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Client("http://pawsight.test", transport=httpx.MockTransport(respond))

    for answer in (httpx.Response(200, text="<html>"), httpx.Response(502, text="{}")):
        with pytest.raises(NoService) as error:
            client(answer).models()
        assert error.value.status == answer.status_code
        assert str(error.value).startswith("what answers at http://pawsight.test is not a")
    with pytest.raises(NoService):
        client(httpx.Response(200, content=b"a picture without its headers")).explain(b"", "tiny")
    with pytest.raises(TooSlow):
        client(httpx.ReadTimeout("late")).models()
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:1").models()
    assert issubclass(Unreachable, ClientError)


def test_any_number_is_asked_about_a_batch_at_a_time(service: Running, tmp_path: Path) -> None:
    file = tmp_path / "blue.jpg"
    file.write_bytes(picture("blue"))
    pictures: list[bytes | Path] = [*[picture("red")] * 69, truncated_jpeg(), file]
    taken = 0

    def coming() -> Iterator[bytes | Path]:
        nonlocal taken
        for each in pictures:
            taken += 1
            yield each

    def check(records: list[Record]) -> None:
        labels = [each.prediction.label for each in records if each.prediction]
        assert labels == ["cat"] * 69 + ["dog"]
        assert records[69].problem
        assert records[69].problem.code == "truncated"
        assert [each.file for each in records] == [*map(str, range(70)), "blue.jpg"]

    with Client(service.url) as client:
        with pytest.raises(Refused, match="at most 8"):
            client.predict_batch(pictures, "tiny")
        answers = client.predict_each(coming(), "tiny")
        first = next(answers)
        assert taken < len(pictures)
        check([first, *answers])
        assert list(client.predict_each([], "tiny")) == []
        broken = client.predict_each([file, file, tmp_path / "gone.jpg", file], "tiny")
        assert [next(broken).file, next(broken).file] == ["blue.jpg"] * 2
        with pytest.raises(FileNotFoundError):
            next(broken)

    async def ask() -> list[Record]:
        async with AsyncClient(service.url) as client:
            return [record async for record in client.predict_each(coming(), "tiny")]

    check(anyio.run(ask))


def test_what_is_no_list_of_pictures_is_said(service: Running) -> None:
    with Client(service.url) as client:
        with pytest.raises(TypeError, match="of one, ask predict"):
            client.predict_batch("photo.jpg")  # a text is a sequence, too
        with pytest.raises(ValueError, match="no pictures"):
            client.predict_batch([])
        with pytest.raises(TypeError, match="of one, ask predict"):
            client.predict_each("photo.jpg")


def test_what_is_no_picture_is_said(service: Running) -> None:
    with Client(service.url) as client:
        with pytest.raises(TypeError, match="binary mode"):
            client.predict(io.TextIOWrapper(io.BytesIO(picture("red"))))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="this is int"):
            client.predict(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("key", ["secret\n", "geheimnis™"])
def test_a_key_that_no_header_can_carry_is_said(
    kind: type[Client] | type[AsyncClient], key: str
) -> None:
    with pytest.raises(ValueError, match="such as the end of a line"):
        kind("http://127.0.0.1:1", api_key=key)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("url", ["localhost:8000", "http://", "http://localhost:port"])
def test_what_is_no_address_is_said(kind: type[Client] | type[AsyncClient], url: str) -> None:
    with pytest.raises(ValueError, match=f"no address of a service: '{url}'; one is http"):
        kind(url)
