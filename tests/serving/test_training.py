"""Training by way of the service, with a trainer that takes no time."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from pawsight.extras import ExtraMissing
from pawsight.inference.catalog import Entry
from pawsight.inference.switch import back, switch
from pawsight.jobs.datasets import KEPT, Place
from pawsight.jobs.job import Job
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.running import running
from tests.serving.test_access import KEYS, OPS, SHOP
from tests.serving.test_server import wait_for_address
from tests.zips import drawn_files, encrypted, zipped

FAKE = Path(__file__).with_name("fake_trainer.py")
REPOSITORY = FAKE.parents[2]
PATIENCE = 120.0
ZIP = {"Content-Type": "application/zip"}
SENT = zipped(drawn_files(10))

SERVICE = """
import sys
from pathlib import Path
import pawsight.jobs.runner as runner
from pawsight.serving.server import serve
from pawsight.serving.settings import Settings

fake, control = sys.argv[1:3]
runner.command_of = lambda job, folder, pictures: [
    sys.executable, fake, str(folder / "model"), job.name, control]
serve(Settings(port=0, serve_models=(sys.argv[3],), training=True, training_dir=sys.argv[4],
               records="off", drain_seconds=0))
"""


@dataclass
class Bench:
    """A service that trains, and the folder by which its trainer is held."""

    client: Any  # an httpx.Client, or starlette's, which is nearly one
    control: Path

    def dataset(self, data: bytes = SENT) -> dict[str, Any]:
        answer = self.client.post("/training/datasets", content=data, headers=ZIP)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def submit(self, dataset: str, **form: Any) -> dict[str, Any]:
        given = {"dataset": dataset, "name": "mine", "method": "full", "epochs": 3, **form}
        answer = self.client.post("/training/jobs", json=given)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/training/jobs/{job['id']}"
        return job

    def job(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/training/jobs/{id_}").json()
        return found

    def until(self, id_: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not holds(job := self.job(id_)):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        return job

    def until_begun(self, id_: str, epochs: int = 1) -> dict[str, Any]:
        return self.until(id_, lambda job: len(job["curves"]) == epochs)

    def until_ended(self, id_: str) -> dict[str, Any]:
        return self.until(id_, lambda job: job["ended"] is not None)

    def cancel(self, id_: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.post(f"/training/jobs/{id_}/cancel").json()
        return job

    def allow(self, how: str = "go") -> None:
        (self.control / how).touch()

    def names(self) -> list[str]:
        return [each["name"] for each in self.client.get("/models").json()["models"]]


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "control"
    folder.mkdir()

    def fake(job: Job, folder_: Path, _: Place) -> list[str]:
        return [sys.executable, str(FAKE), str(folder_ / "model"), job.name, str(folder)]

    monkeypatch.setattr("pawsight.jobs.runner.command_of", fake)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY / 'src'}:{REPOSITORY}")
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "installed"))
    return folder


@pytest.fixture
def chosen(tiny: Path, tmp_path: Path) -> Settings:
    return Settings(
        serve_models=(str(tiny),), training=True, training_dir=tmp_path / "training", records="off"
    )


@contextmanager
def opened(settings: Settings, control: Path) -> Iterator[Bench]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield Bench(client, control)


@pytest.fixture
def bench(chosen: Settings, control: Path) -> Iterator[Bench]:
    with opened(chosen, control) as bench:
        yield bench


def test_what_was_sent_becomes_a_model_that_answers(bench: Bench) -> None:
    found = bench.dataset(zipped(drawn_files(10) | {"dog/notes.txt": b"mine"}))
    assert (found["usable"], found["pictures"]) == (True, 20)
    assert found["labels"] == {"cat": 10, "dog": 10}
    assert [each["path"] for each in found["problems"]] == ["dog/notes.txt"]
    assert bench.client.get(f"/training/datasets/{found['id']}").json() == found
    job = bench.submit(found["id"])
    assert (job["state"], job["epochs"], job["result"]) == ("queued", 3, None)
    job = bench.until_begun(job["id"])
    assert (job["state"], job["epoch"]) == ("running", 1)
    assert job["message"] == "epoch 1 of 3: val_loss 0.5"
    assert job["curves"] == [
        {"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.75, "val_loss": 0.5,
         "val_accuracy": 0.8}
    ]  # fmt: skip
    bench.allow()
    ended = bench.until_ended(job["id"])
    assert (ended["state"], ended["result"]["model"]) == ("done", "mine")
    assert ended["curves"] == job["curves"]
    assert bench.names() == ["tiny", "mine"]
    answer = bench.client.post("/predict/mine", content=picture("red")).json()
    assert (answer["label"], answer["model"]["source"]) == ("cat", "installed")
    kept = bench.client.delete("/models/tiny")
    assert (kept.status_code, kept.json()["code"]) == (403, "forbidden")
    assert "tiny stays: it was not trained here" in kept.json()["detail"]
    assert bench.client.delete("/models/mine").json()["name"] == "mine"
    assert bench.names() == ["tiny"]
    gone = bench.client.post("/predict/mine", content=picture("red"))
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-model")
    assert bench.client.delete("/models/mine").json()["code"] == "unknown-model"
    assert back("mine") is not None  # as `pawsight models back` does
    form = {"dataset": found["id"], "name": "mine"}
    taken = bench.client.post("/training/jobs", json={**form, "start": "tiny"})
    assert (taken.status_code, taken.json()["code"]) == (409, "name-taken")
    assert "which this service does not serve" in taken.json()["detail"]
    assert "from the next start on" in taken.json()["detail"]


def test_one_runs_and_the_others_wait_in_their_order(bench: Bench) -> None:
    dataset = bench.dataset()["id"]
    ids = [bench.submit(dataset, name=name)["id"] for name in ("one", "two", "three")]
    bench.until_begun(ids[0])
    listed = bench.client.get("/training/jobs").json()["jobs"]
    assert [each["name"] for each in listed] == ["three", "two", "one"]
    assert [each["state"] for each in listed] == ["queued", "queued", "running"]
    assert bench.cancel(ids[1])["state"] == "cancelled"
    bench.allow()
    assert bench.until_ended(ids[2])["state"] == "done"
    assert bench.job(ids[0])["state"] == "done"
    assert bench.names() == ["tiny", "one", "three"]


def test_one_that_is_cancelled_in_the_middle_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    id_ = bench.submit(bench.dataset()["id"])["id"]
    begun = bench.until_begun(id_)
    for _ in range(2):  # the same again changes nothing
        cancelled = bench.cancel(id_)
        assert (cancelled["state"], cancelled["curves"]) == ("cancelled", begun["curves"])
    again = bench.submit(bench.dataset()["id"])["id"]  # its name is free, and its place
    bench.until_begun(again)
    assert not (tmp_path / "training" / "jobs" / id_ / "model").exists()
    bench.allow()
    assert bench.until_ended(again)["state"] == "done"
    assert bench.cancel(again)["state"] == "done"
    assert bench.job(id_)["state"] == "cancelled"


def test_what_has_ended_can_be_removed_and_its_model_stays(
    chosen: Settings, control: Path, tmp_path: Path
) -> None:
    with opened(chosen, control) as bench:
        dataset = bench.dataset()["id"]
        done, other = (bench.submit(dataset, name=name)["id"] for name in ("mine", "other"))
        early = bench.client.delete(f"/training/jobs/{done}")
        assert (early.status_code, early.json()["code"]) == (409, "not-ended")
        assert f"POST /training/jobs/{done}/cancel" in early.json()["detail"]
        bench.cancel(other)
        bench.allow()
        ended = bench.until_ended(done)
        assert bench.client.delete(f"/training/jobs/{done}").json() == ended
        assert bench.client.delete(f"/training/jobs/{other}").json()["state"] == "cancelled"
        for method in ("GET", "DELETE"):
            answer = bench.client.request(method, f"/training/jobs/{done}")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown-job")
        assert bench.client.get("/training/jobs").json() == {"jobs": []}
        home = tmp_path / "training" / "jobs"
        deadline = time.monotonic() + PATIENCE
        while (home / other).exists() or (home / done / "log.txt").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with opened(chosen, control) as bench:
        assert bench.names() == ["tiny", "mine"]
        assert bench.client.delete("/models/mine").status_code == 200


def test_one_that_fails_says_why(bench: Bench) -> None:
    dataset = bench.dataset()["id"]
    bench.allow("refuse")
    refused = bench.until_ended(bench.submit(dataset)["id"])
    assert (refused["state"], refused["message"]) == ("failed", "the table is not to its taste")
    (bench.control / "refuse").unlink()
    bench.allow("crash")
    crashed = bench.until_ended(bench.submit(dataset)["id"])
    assert crashed["state"] == "failed"
    assert crashed["message"] == "the training broke off; the last it said: MemoryError: no room"
    assert bench.names() == ["tiny"]


def test_a_restart_goes_on_with_it_and_keeps_what_was_trained(
    chosen: Settings, control: Path
) -> None:
    with opened(chosen, control) as bench:
        id_ = bench.submit(bench.dataset()["id"])["id"]
        waits = bench.submit(bench.dataset()["id"], name="later")["id"]
        bench.until_begun(id_)
    with opened(chosen, control) as bench:
        job = bench.until_begun(id_, epochs=2)
        assert job["state"] == "running"
        assert bench.job(waits)["state"] == "queued"
        bench.allow()
        assert bench.until_ended(waits)["state"] == "done"
        assert [each["epoch"] for each in bench.job(id_)["curves"]] == [1, 2]
    with opened(chosen, control) as bench:
        assert set(bench.names()) == {"tiny", "mine", "later"}
        assert bench.client.post("/predict/later", content=picture("blue")).json()["label"] == "dog"


@contextmanager
def process(control: Path, tiny: Path, home: Path) -> Iterator[tuple[subprocess.Popen[str], Bench]]:
    command = [sys.executable, "-c", SERVICE, str(FAKE), str(control), str(tiny), str(home)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            url = wait_for_address(running)
            with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                yield running, Bench(client, control)
        finally:
            running.kill()


def test_kill_9_of_the_service_does_not_break_it_off(
    control: Path, tiny: Path, tmp_path: Path
) -> None:
    """The training goes on alone, and the next service finds it, and what it came to."""
    home = tmp_path / "training"
    with process(control, tiny, home) as (service, bench):
        id_ = bench.submit(bench.dataset()["id"])["id"]
        bench.until_begun(id_)
        service.send_signal(signal.SIGKILL)
        service.wait()
    with process(control, tiny, home) as (_, bench):
        assert bench.until_begun(id_)["state"] == "running"
        bench.allow()
        ended = bench.until_ended(id_)
        assert (ended["state"], ended["result"]["model"]) == ("done", "mine")
        assert (control / "begun").read_text() == "x"
        assert "mine" in bench.names()


def test_one_that_outlived_its_service_can_be_cancelled(
    control: Path, tiny: Path, tmp_path: Path
) -> None:
    home = tmp_path / "training"
    with process(control, tiny, home) as (service, bench):
        id_ = bench.submit(bench.dataset()["id"])["id"]
        bench.until_begun(id_)
        service.send_signal(signal.SIGKILL)
        service.wait()
    with process(control, tiny, home) as (_, bench):
        assert bench.cancel(id_)["state"] == "cancelled"
        bench.allow()
        again = bench.submit(bench.dataset()["id"], name="again")["id"]
        assert bench.until_ended(again)["state"] == "done"
        assert not (home / "jobs" / id_ / "model").exists()


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (zipped({"../x.jpg": b"1"}), ZIP, 422, "unusable-archive"),
        (encrypted(), ZIP, 422, "unusable-archive"),
        (b"GIF89a", ZIP, 422, "unusable-archive"),
        (zipped({f"{each}.png": b"" for each in range(101)}), ZIP, 422, "unusable-archive"),
        (b"\0" * 100_001, ZIP, 413, "too-large"),
        (SENT, {"Content-Type": "image/png"}, 415, "unsupported-content-type"),
    ],
    ids=["dots", "encrypted", "no-zip", "many", "large", "type"],
)
def test_archives_that_are_refused_leave_nothing(
    chosen: Settings,
    control: Path,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    bounds = {"training_max_bytes": 100_000, "training_max_files": 100}
    settings = Settings(**{**chosen.model_dump(), **bounds})
    with opened(settings, control) as bench:
        answer = bench.client.post("/training/datasets", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert settings.training_dir
    assert str(settings.training_dir) not in answer.text
    assert not list((settings.training_dir / "datasets").glob("*"))


def test_what_cannot_be_trained_on_is_kept_and_not_trained_on(bench: Bench) -> None:
    found = bench.dataset(zipped(drawn_files(9, ("cat",))))
    assert not found["usable"]
    assert "two classes" in found["why_not"]
    answer = bench.client.post("/training/jobs", json={"dataset": found["id"], "name": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable-dataset")
    assert "two classes" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"dataset": "0" * 32}, 404, "unknown-dataset"),
        ({"dataset": "../jobs"}, 404, "unknown-dataset"),
        ({"name": "tiny"}, 409, "name-taken"),
        ({"name": "../mine"}, 422, "invalid-request"),
        ({"name": "mine\n"}, 422, "invalid-request"),
        ({"name": ""}, 422, "invalid-request"),
        ({"method": "magic"}, 422, "invalid-request"),
        ({"epochs": 0}, 422, "invalid-request"),
        ({"epochs": True}, 422, "invalid-request"),
        ({"epochs": 2.5}, 422, "invalid-request"),
        ({"epochs": "a"}, 422, "invalid-request"),
        ({"epocs": 3}, 422, "invalid-request"),
        ({"method": "head", "start": "tiny", "epochs": 3}, 422, "invalid-request"),
        ({"start": "tiny"}, 422, "invalid-request"),
        ({"method": "head", "start": "nobody"}, 404, "unknown-model"),
        ({"method": "head", "start": "/etc"}, 404, "unknown-model"),
    ],
)
def test_nonsense_is_refused(bench: Bench, form: dict[str, Any], status: int, code: str) -> None:
    given = {"dataset": bench.dataset()["id"], "name": "mine", "method": "full", **form}
    answer = bench.client.post("/training/jobs", json=given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert bench.client.get("/training/jobs").json() == {"jobs": []}


def test_what_a_training_would_not_heed_is_refused_in_words(bench: Bench) -> None:
    def said(form: dict[str, Any]) -> str:
        detail: str = bench.client.post("/training/jobs", json=form).json()["detail"]
        return detail

    form = {"dataset": "0" * 32, "name": "mine"}
    assert said({**form, "epocs": 3}) == "'epocs': is not known here"
    assert said({**form, "epochs": 3}).startswith("'epochs': a head is fitted at once")
    full = {**form, "method": "full", "epochs": 3}
    assert said({**full, "epochs": True}) == said({**full, "epochs": 2.5})
    assert said({**full, "epochs": True}).startswith("'epochs': must be a whole number")
    assert said({**full, "start": "custom"}).startswith(
        "'start': a full training begins from random weights"
    )
    assert "dataset" in said({**full, "start": None})  # as clients send it, and there is none
    plain = {"Content-Type": "text/plain"}  # which any web page may send
    answer = bench.client.post("/training/jobs", content=b"{}", headers=plain)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-content-type")
    assert "send JSON (application/json)" in answer.json()["detail"]


@pytest.mark.parametrize("id_", ["0" * 32, "..", "%2e%2e", "x" * 300])
def test_jobs_that_are_not_there(bench: Bench, id_: str) -> None:
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
        answer = bench.client.request(method, f"/training/jobs/{id_}{below}")
        assert answer.json()["code"] in ("unknown-job", "not-found", "method-not-allowed")
        assert answer.status_code in (404, 405)


def test_only_the_latest_datasets_are_kept(bench: Bench, tmp_path: Path) -> None:
    first = bench.dataset()["id"]
    bench.until_begun(bench.submit(first)["id"])  # it is needed
    others = [bench.dataset()["id"] for _ in range(KEPT + 1)]
    there = {each.name for each in (tmp_path / "training" / "datasets").iterdir()}
    assert there == {first, *others[1:]}


def test_what_cannot_be_trained_on_pushes_nothing_out(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawsight.jobs.datasets.KEPT", 1)
    monkeypatch.setattr("pawsight.jobs.datasets.KEPT_WORDS", 2)
    usable = bench.dataset()["id"]
    oldest, *others = [bench.dataset(zipped({"a.txt": b"no picture"})) for _ in range(3)]
    for each in others:  # they can be looked up, and take no room
        assert bench.client.get(f"/training/datasets/{each['id']}").json() == each
        assert not list((tmp_path / "training" / "datasets" / each["id"]).rglob("a.txt"))
    assert bench.client.get(f"/training/datasets/{oldest['id']}").status_code == 404
    assert bench.submit(usable)["state"] == "queued"


def test_what_was_coming_when_the_service_was_killed_goes(
    chosen: Settings, control: Path, tmp_path: Path
) -> None:
    home = tmp_path / "training" / "datasets"
    for name in (".coming-old", ".coming-new"):
        (home / name).mkdir(parents=True)
    os.utime(home / ".coming-old", (0, 0))
    with opened(chosen, control) as bench:
        bench.allow()
        bench.until_ended(bench.submit(bench.dataset()["id"])["id"])
        assert (home / ".coming-new").exists()
        assert not (home / ".coming-old").exists()


def test_it_is_off_unless_it_is_switched_on(client: TestClient) -> None:
    assert client.get("/health/ready").json()["training"]["status"] == "off"
    for method, path in (("GET", "/training/jobs"), ("POST", "/training/datasets")):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "training-off")
        assert "pawsight serve --training" in answer.json()["detail"]


def test_where_keys_are_on_it_takes_an_admin(chosen: Settings, control: Path) -> None:
    closed = Settings(**{**chosen.model_dump(), "api_keys": KEYS})
    with opened(closed, control) as bench:
        codes = [
            bench.client.get("/training/jobs", headers=headers).json().get("code")
            for headers in ({}, {"X-API-Key": SHOP}, {"X-API-Key": OPS})
        ]
    assert codes == ["unauthorized", "forbidden", None]


def test_without_the_extra_it_says_what_is_missing(
    chosen: Settings, control: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(extra: str, purpose: str) -> None:
        raise ExtraMissing(f"{purpose} needs torch: the extra {extra!r} brings it")

    monkeypatch.setattr("pawsight.serving.training.require", missing)
    with opened(chosen, control) as bench:
        ready = bench.client.get("/health/ready")
        assert ready.status_code == 200
        words = "training needs torch: the extra 'train' brings it"
        told = {name: said for name, said in ready.json()["training"].items() if said is not None}
        assert told == {"status": "unavailable", "reason": words}
        answer = bench.client.post("/training/datasets", content=SENT, headers=ZIP)
        assert (answer.status_code, answer.json()["code"]) == (503, "training-unavailable")
        assert answer.json()["detail"] == words


def test_where_nothing_can_be_written_it_says_so(
    chosen: Settings, control: Path, tmp_path: Path
) -> None:
    (tmp_path / "training").write_text("a file where a folder should be")
    with opened(chosen, control) as bench:
        answer = bench.client.post("/training/datasets", content=SENT, headers=ZIP)
        assert (answer.status_code, answer.json()["code"]) == (503, "training-unavailable")
        assert bench.client.post("/predict/tiny", content=picture("red")).json()["label"] == "cat"


def test_a_trained_model_that_is_broken_stops_no_start(
    chosen: Settings, control: Path, tmp_path: Path
) -> None:
    with opened(chosen, control) as bench:
        bench.allow()
        assert bench.until_ended(bench.submit(bench.dataset()["id"])["id"])["state"] == "done"
    shutil.rmtree(tmp_path / "installed" / "mine" / "golden")
    with opened(chosen, control) as bench:
        assert bench.names() == ["tiny"]


def test_who_leaves_while_an_archive_is_looked_at_leaves_nothing(
    chosen: Settings, control: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What unpacks it makes folders as long as it lives: it has to end before they are removed."""
    slow, pid = control / "python", control / "python.pid"
    endless = (
        "import os, sys, time\n"
        "while True: os.makedirs(sys.argv[4] + '/pictures/more', exist_ok=True); time.sleep(0.01)"
    )
    # One process: what a killed shell has begun would still make a folder after it.
    python = f"{shlex.quote(sys.executable)} -c {shlex.quote(endless)}"
    slow.write_text(f'#!/bin/sh\necho $$ > "$0.pid"\nexec {python} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    deadline = time.monotonic() + PATIENCE
    with running(create_app(chosen)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as leaving:
            head = (
                "POST /training/datasets HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\n"
                f"Content-Length: {len(SENT)}\r\n\r\n"
            )
            leaving.sendall(head.encode() + SENT)
            while not (pid.exists() and pid.read_text().endswith("\n")):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        while list((tmp_path / "training" / "datasets").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_what_was_put_in_the_place_of_a_trained_model_stays(
    bench: Bench, chosen: Settings, tmp_path: Path
) -> None:
    bench.allow()
    bench.until_ended(bench.submit(bench.dataset()["id"])["id"])
    switch("mine", make_model_folder(tmp_path / "other", strength=2.0))
    with opened(chosen, bench.control) as later:  # which loads what is installed now
        kept = later.client.delete("/models/mine")
    assert (kept.status_code, kept.json()["code"]) == (403, "forbidden")
    assert "mine stays: it was not trained here" in kept.json()["detail"]


def test_of_two_at_once_one_has_the_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = bench.dataset()["id"]
    both = threading.Barrier(2)

    def meets() -> list[Entry]:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return []

    monkeypatch.setattr("pawsight.serving.routes.jobs.available", meets)
    form = {"dataset": dataset, "name": "mine", "method": "full"}
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(bench.client.post, "/training/jobs", json=form) for _ in range(2)]
    assert sorted(each.result().status_code for each in asked) == [202, 409]
