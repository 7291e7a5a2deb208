"""`kill -9` of a real service under requests: nothing that was answered as kept is lost."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from pawsight.records.database import Database
from pawsight.records.pictures import Pictures, digest_of
from pawsight.records.place import Place
from pawsight.records.schema import CURRENT, version
from pawsight.records.store import recorded_of
from pawsight.records.tables import AnswerRow
from tests.model_folders import make_model_folder
from tests.pictures import picture
from tests.serving.test_server import process

KILLS = 3
CLIENTS = 4
ACKNOWLEDGED = 40
"""Answers, for each kill, that were answered as kept before it."""


@dataclass
class Crowd:
    """Clients that send pictures and feedback until the service is gone.

    Attributes:
        kept: The answers that were answered as kept, by id.
        said: The labels of feedback that was accepted, likewise.
        enough: Released once for each kept answer.
    """

    pictures: list[bytes]
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    enough: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self, url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            try:
                for number in itertools.count():
                    self._one(client, number)
            except httpx.HTTPError:  # it was killed
                return

    def _one(self, client: httpx.Client, number: int) -> None:
        file = self.pictures[number % len(self.pictures)]
        keep = number % 3 > 0
        response = client.post("/predict/tiny", params={"keep": keep}, content=file)
        answer = response.json()
        if response.headers.get("x-pawsight-kept") == "true":
            self.kept[answer["id"]] = answer
            self.enough.release()
        if number % 2:
            label = ("cat", "dog", "neither", "wrong")[number % 4]
            said = {"id": answer["id"], "label": label, "comment": "now"}
            if client.post("/feedback", data=said, files={"file": file}).status_code == 200:
                self.said[answer["id"]] = label


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service as a process, whose log is read: else it would have to wait for that in the end."""
    with process(folder, **settings) as (running, address):
        log = threading.Thread(target=lambda: deque(running.stderr or (), maxlen=0), daemon=True)
        log.start()
        try:
            yield running, address
        finally:
            running.kill()
            log.join(60)


def test_nothing_that_was_answered_as_kept_is_lost(place: Place, url: str, tmp_path: Path) -> None:
    crowd = Crowd([picture(colour) for colour in ("red", "blue", "purple", "green")])
    tiny = make_model_folder(tmp_path / "tiny")
    settings = {"records": url, "pictures_dir": str(place.pictures)}
    for _ in range(KILLS):
        with serving(tiny, **settings) as (running, address):
            clients = [threading.Thread(target=crowd.run, args=(address,)) for _ in range(CLIENTS)]
            for each in clients:
                each.start()
            for _ in range(ACKNOWLEDGED):
                assert crowd.enough.acquire(timeout=60)
            running.kill()
            for each in clients:
                each.join(60)
    with serving(tiny, **settings) as (_, address), httpx.Client(base_url=address) as client:
        for id_, answer in crowd.kept.items():
            record = client.get(f"/records/{id_}").json()
            assert {name: record.get(name) for name in answer} == answer
        for id_, label in crowd.said.items():
            assert client.get(f"/records/{id_}").json()["feedback"]["label"] == label
    assert len(crowd.kept) >= KILLS * ACKNOWLEDGED
    assert len(crowd.said) > KILLS
    _check(place, crowd)


def _check(place: Place, crowd: Crowd) -> None:
    """The database is whole, every row can be read, and every picture is what its name says."""
    database = Database(place)
    digests = [digest_of(each) for each in crowd.pictures]
    about = AnswerRow.digest.in_(digests)
    rows = database.read(lambda connection: recorded_of(connection, about))
    ids = {each.id for each in rows}
    assert ids >= crowd.kept.keys() | crowd.said.keys()
    assert database.read(lambda c: set(c.scalars(select(AnswerRow.id)))) == ids
    assert all(sum(each.prediction.probabilities.values()) == pytest.approx(1) for each in rows)
    assert database.read(version) == CURRENT
    if place.file:
        check = text("PRAGMA integrity_check")
        assert database.read(lambda c: c.execute(check).scalar()) == "ok"
    database.close()
    pictures = Pictures(place.pictures)
    for each in (row for row in rows if row.feedback):
        kept = pictures.find(each.digest)
        assert kept
        assert digest_of(kept.read_bytes()) == each.digest
