"""Feedback, the queue for review, and what `/health/ready` says of the record."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pawsight.records import recorder as recorder_module
from pawsight.records.pictures import Pictures, digest_of
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.pictures import picture

PATIENCE = 30  # seconds
Serve = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def serve(tiny: Path, second: Path, database: Path) -> Serve:
    @contextmanager
    def start(**settings: Any) -> Iterator[TestClient]:
        given = {
            "serve_models": (str(tiny), str(second)),
            "records": f"sqlite:///{database}",
            "max_bytes": 200_000,
            **settings,
        }
        with TestClient(create_app(Settings(**given)), raise_server_exceptions=False) as client:
            yield client

    return start


@pytest.fixture
def service(serve: Serve) -> Iterator[TestClient]:
    with serve() as client:
        yield client


def ask(client: TestClient, colour: str = "red", model: str = "tiny", **headers: str) -> Any:
    response = client.post(f"/predict/{model}?keep=true", content=picture(colour), headers=headers)
    assert response.headers["x-pawsight-kept"] == "true"
    return response.json()


def say(client: TestClient, **said: Any) -> Any:
    return client.post("/feedback", json=said)


def test_what_was_answered_as_kept_can_be_read(service: TestClient) -> None:
    answer = ask(service)
    record = service.get(f"/records/{answer['id']}").json()
    assert {name: record[name] for name in answer} == answer
    assert record["digest"] == digest_of(picture("red"))
    assert (record["picture"], record["feedback"]) == (False, None)
    assert record["milliseconds"] > 0
    assert "x-pawsight-kept" not in service.post("/predict/tiny", content=picture("red")).headers


def test_every_way_of_asking_is_recorded(service: TestClient) -> None:
    ids = [
        service.post("/predict/tiny", content=picture("red")).json()["id"],
        service.post("/predict/tiny", content=picture("red")).json()["id"],  # kept by the cache
        service.post("/predict/tiny/batch", files={"files": picture("blue")}).json()["records"][0][
            "prediction"
        ]["id"],
        *(
            each["prediction"]["id"]
            for each in service.post("/compare", content=picture("green")).json()["answers"]
        ),
    ]
    assert service.post("/models/tiny", content=picture("red")).status_code == 200
    assert ask(service)["id"] not in ids  # and all before it are on the disk
    labels = [service.get(f"/records/{each}").json()["label"] for each in ids]
    assert labels == ["cat", "cat", "dog", "neither", "neither"]
    text = service.get("/metrics").text
    assert 'pawsight_records_total{outcome="written"} 7.0' in text
    assert "pawsight_unwritten_records 0.0" in text


def test_feedback_is_said_again_and_replaced(service: TestClient) -> None:
    answer = ask(service)
    first = say(service, id=answer["id"], label="dog", comment="it barks")
    assert first.status_code == 200
    said = first.json()
    assert {**said, "time": None} == {
        "id": answer["id"],
        "label": "dog",
        "comment": "it barks",
        "time": None,
        "replaced": None,
        "picture": False,
    }
    assert say(service, id=answer["id"], label="dog", comment="it barks").json() == said
    assert say(service, id=answer["id"], label="wrong").json()["replaced"] == "dog"
    assert service.get(f"/records/{answer['id']}").json()["feedback"]["label"] == "wrong"


def test_the_picture_may_come_with_it_and_is_given_back(service: TestClient) -> None:
    answer = ask(service)
    address = f"/records/{answer['id']}/picture"
    assert service.get(address).json()["code"] == "no-picture"
    form = {"id": answer["id"], "label": "dog"}
    other = service.post("/feedback", data=form, files={"file": picture("blue")})
    assert (other.status_code, other.json()["code"]) == (422, "wrong-picture")
    assert service.get(f"/records/{answer['id']}").json()["feedback"] is None
    said = service.post("/feedback", data=form, files={"file": picture("red")})
    assert said.json()["picture"] is True
    given = service.get(address)
    assert (given.content, given.headers["content-type"]) == (picture("red"), "image/jpeg")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert service.get(f"/records/{answer['id']}").json()["picture"] is True


def test_a_picture_that_another_process_has_just_deleted_is_not_kept(
    service: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = ask(service)
    monkeypatch.setattr(Pictures, "find", lambda *_: tmp_path / "gone.jpg")
    gone = service.get(f"/records/{answer['id']}/picture")
    assert (gone.status_code, gone.json()["code"]) == (404, "no-picture")


def test_a_form_needs_no_picture(service: TestClient) -> None:
    answer = ask(service)
    form = {"id": (None, answer["id"]), "label": (None, "neither")}
    assert service.post("/feedback", files=form).json()["label"] == "neither"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            [("picture", ("cat.jpg", picture("red")))],
            "'picture': is a file, which is taken in the field 'file' alone; the fields of text "
            "are id, label, comment",
        ),
        ([("comment", ("cat.jpg", picture("red")))], "'comment': is a file"),
        ([("label", (None, "cat"))], "'label': is given 2 times"),
        ([("file", (None, "cat.jpg")), ("file", (None, "dog.jpg"))], "'file': is given 2 times"),
        ([("picture", (None, "cat.jpg"))], "'picture': is not known here"),
    ],
)
def test_a_form_that_would_be_heeded_in_part_is_refused(
    service: TestClient, parts: list[Any], words: str
) -> None:
    answer = ask(service)
    form = [("id", (None, answer["id"])), ("label", (None, "dog"))]
    refused = service.post("/feedback", files=[*form, *parts])
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    assert refused.json()["detail"].startswith(words)
    assert service.get(f"/records/{answer['id']}").json()["feedback"] is None


UNKNOWN = "0" * 32


@pytest.mark.parametrize(
    ("said", "status", "code", "words"),
    [
        ({"id": UNKNOWN, "label": "cat"}, 404, "unknown-answer", UNKNOWN),
        ({"id": "", "label": "cat"}, 404, "unknown-answer", "is recorded here"),
        ({"label": "wolf"}, 404, "unknown-label", "there are cat, dog, neither, wrong"),
        ({"label": "Dog"}, 404, "unknown-label", "no class 'Dog'"),
        ({}, 422, "invalid-request", "'label': is missing"),
        ({"label": "dog", "coment": "x"}, 422, "invalid-request", "'coment': is not known here"),
        ({"label": "dog", "id": 7}, 422, "invalid-request", "'id': must be text"),
        (
            {"label": "dog", "id": "x" * 65},
            422,
            "invalid-request",
            "'id': must have 64 characters or fewer",
        ),
        ({"label": "dog", "comment": "x" * 2001}, 422, "invalid-request", "comment"),
        ({"label": "dog", "comment": "a\0b"}, 422, "invalid-request", "NUL"),
        ({"label": "d\0g"}, 422, "invalid-request", "'label': must not hold the character NUL"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(
    service: TestClient, said: dict[str, Any], status: int, code: str, words: str
) -> None:
    refused = say(service, **{"id": ask(service)["id"], **said})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (status, code)
    assert words in problem["detail"]
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (
            {"content": b"id=1", "headers": {"Content-Type": "text/plain"}},
            "unsupported-content-type",
        ),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "invalid-request"),
        ({"content": b" " * 70_000, "headers": {"Content-Type": "application/json"}}, "too-large"),
        ({"files": {"file": b"x" * 300_000}}, "too-large"),
        ({"files": {"file": b"x"}, "data": {"id": "1"}}, "invalid-request"),
        ({"files": [("file", b"x"), ("file", b"y")]}, "too-many-files"),
    ],
)
def test_what_is_no_feedback_is_refused(
    service: TestClient, request_: dict[str, Any], code: str
) -> None:
    assert service.post("/feedback", **request_).json()["code"] == code


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is no JSON: EOF while parsing a value"),
        (b"{", "the body is no JSON: EOF while parsing an object"),
        (b'["dog"]', "the body must be an object of fields"),
        (b"null", "the body must be an object of fields"),
        (b"{}", "'id': is missing"),
        (b'{"id": "1", "label": "dog", "": 1}', "'': is not known here"),
    ],
)
def test_what_is_wrong_with_a_whole_body_names_no_field(
    service: TestClient, body: bytes, words: str
) -> None:
    refused = service.post("/feedback", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(words)


def test_the_queue_has_each_picture_once_and_not_what_was_judged(service: TestClient) -> None:
    for colour, model in (("red", "tiny"), ("purple", "tiny"), ("red", "second"), ("red", "tiny")):
        ask(service, colour, model)
    queue = service.get("/feedback/queue").json()["pictures"]
    assert [each["answers"][0]["digest"] for each in queue] == [
        digest_of(picture("purple")),
        digest_of(picture("red")),
    ]
    assert {each["model"]["name"] for each in queue[1]["answers"]} == {"tiny", "second"}
    assert [each["disagree"] for each in queue] == [False, False]
    say(service, id=queue[0]["answers"][0]["id"], label="neither")
    [left] = service.get("/feedback/queue?limit=5").json()["pictures"]
    assert left == queue[1]
    assert service.get("/feedback/queue?limit=0").json()["code"] == "invalid-request"


def test_what_was_said_is_listed_the_latest_first(service: TestClient) -> None:
    ids = [ask(service, colour)["id"] for colour in ("red", "purple", "blue")]
    for id_, label in zip(ids[:2], ("dog", "neither"), strict=True):
        say(service, id=id_, label=label)
    listed = service.get("/feedback").json()["answers"]
    assert [each["id"] for each in listed] == [ids[1], ids[0]]
    assert [each["feedback"]["label"] for each in listed] == ["neither", "dog"]
    assert len(service.get("/feedback?limit=1").json()["answers"]) == 1
    assert service.get("/feedback?limit=0").json()["code"] == "invalid-request"
    [about] = service.get("/feedback", params={"digest": listed[1]["digest"]}).json()["answers"]
    assert about == listed[1]
    nothing_said = {"digest": digest_of(picture("blue"))}
    assert service.get("/feedback", params=nothing_said).json()["answers"] == []
    assert service.get("/feedback?digest=%00").json()["code"] == "invalid-request"


def test_however_many_models_answered_a_picture_it_is_looked_for_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []
    look = os.stat

    def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        looked_for.append(Path(path).name if isinstance(path, str | Path) else "")
        return look(path, *arguments, **options)

    with serve(keep_pictures="all") as client:
        for model in ("tiny", "second"):
            ask(client, "red", model)
        with monkeypatch.context() as patch:
            patch.setattr(os, "stat", stat)
            [item] = client.get("/feedback/queue").json()["pictures"]
        assert [each["picture"] for each in item["answers"]] == [True, True]
        assert len([name for name in looked_for if name.startswith(digest_of(picture("red")))]) == 1


def test_where_there_are_keys_the_queue_is_for_admins(serve: Serve) -> None:
    keys = "shop shop-key-0123456789; ops ops-key-0123456789abc admin"
    with serve(api_keys=keys) as client:
        shop, ops = ({"X-API-Key": each.split()[1]} for each in keys.split("; "))
        answer = ask(client, **shop)
        said = {"id": answer["id"], "label": "cat"}
        assert client.post("/feedback", json=said).status_code == 401
        for address in ("/feedback/queue", "/feedback"):
            assert client.get(address, headers=shop).json()["code"] == "forbidden"
        assert len(client.get("/feedback/queue", headers=ops).json()["pictures"]) == 1
        assert client.post("/feedback", json=said, headers=shop).status_code == 200


def test_pictures_of_all_answers_can_be_kept(serve: Serve, database: Path) -> None:
    with serve(keep_pictures="all") as client:
        answer = ask(client)
        assert client.get(f"/records/{answer['id']}/picture").content == picture("red")
        [item] = client.get("/feedback/queue").json()["pictures"]
        assert item["answers"][0]["picture"] is True
    assert (database.parent / "pictures").is_dir()


def test_it_can_be_off(serve: Serve, database: Path) -> None:
    with serve(records="off") as client:
        response = client.post("/predict/tiny?keep=true", content=picture("red"))
        assert response.headers["x-pawsight-kept"] == "false"
        id_ = response.json()["id"]
        for refused in (
            say(client, id=id_, label="cat"),
            client.get(f"/records/{id_}"),
            client.get("/feedback/queue"),
            client.get("/feedback"),
        ):
            assert (refused.status_code, refused.json()["code"]) == (404, "records-off")
        assert client.get("/health/ready").json()["record"]["status"] == "off"
    assert not database.exists()


def test_records_survive_a_restart(serve: Serve) -> None:
    with serve() as client:
        answer = client.post("/predict/tiny", content=picture("red")).json()
    with serve() as client:
        ask(client)
        assert client.get(f"/records/{answer['id']}").json()["label"] == answer["label"]


def test_while_the_database_is_locked_pictures_are_answered_and_ready_says_why(
    serve: Serve, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawsight.records.engine.PATIENCE", 0.1)
    monkeypatch.setattr(recorder_module, "RETRY", 0.05)
    with serve() as client:
        before = ask(client)
        assert client.get("/health/ready").json()["record"] == {
            "status": "written",
            "reason": None,
            "waiting": 0,
            "lost": 0,
        }
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answered = client.post("/predict/tiny?keep=true", content=picture("blue"))
        assert (answered.status_code, answered.json()["label"]) == (200, "dog")
        assert answered.headers["x-pawsight-kept"] == "false"
        ready = client.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["record"] == {
            "status": "not-written",
            "reason": "the database is locked by another program",
            "waiting": 1,
            "lost": 0,
        }
        refused = say(client, id=before["id"], label="dog")
        assert (refused.status_code, refused.json()["code"]) == (503, "records-unavailable")
        assert "locked by another program" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        other.execute("ROLLBACK")
        other.close()
        deadline = time.monotonic() + PATIENCE
        while client.get("/health/ready").json()["record"]["status"] != "written":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.get(f"/records/{answered.json()['id']}").json()["label"] == "dog"
        assert say(client, id=before["id"], label="dog").status_code == 200


def test_a_database_that_cannot_be_opened_stops_nothing(serve: Serve, database: Path) -> None:
    database.write_bytes(b"dear service, " * 400)
    with serve() as client:
        response = client.post("/predict/tiny?keep=true", content=picture("red"))
        assert (response.status_code, response.headers["x-pawsight-kept"]) == (200, "false")
        assert "no SQLite database" in client.get("/health/ready").json()["record"]["reason"]
        id_ = response.json()["id"]
        for refused in (
            client.get(f"/records/{id_}"),
            client.get("/feedback/queue"),
            say(client, id=id_, label="cat"),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "records-unavailable")


def test_a_password_is_not_shown_with_the_settings() -> None:
    settings = Settings(records="postgresql://cat:secret@nowhere/records")
    assert "secret" not in repr(settings)
