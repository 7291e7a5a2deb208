"""The databases that the tests run on: SQLite, and Debian's PostgreSQL where it is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pawsight.records.keeping import Bounds
from pawsight.records.place import Place, find
from pawsight.records.recorder import Recorder


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of the tests' own, reached by a socket in its folder alone."""

    folder: Path
    bin: Path
    user: int | None

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.bin / program, *arguments],
            user=self.user,
            group=self.user and pwd.getpwuid(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            # Not a pipe: the server that `pg_ctl` starts would hold it open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}"

    def url(self, database: str) -> str:
        return f"postgresql://pawsight@/{database}?host={self.folder}"


def _programs() -> Path | None:
    """The newest of Debian's, or those on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    found = shutil.which("initdb")
    return debian[-1].parent if debian else Path(found).resolve().parent if found else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    user = None
    if os.getuid() == 0:  # which PostgreSQL refuses to be run by
        try:
            user = pwd.getpwnam("postgres").pw_uid
        except KeyError:
            pytest.skip("run by root, PostgreSQL needs the user 'postgres'")
    # Not pytest's own folder, which only its owner may look into; and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as home:
        if user is not None:
            os.chown(home, user, -1)
        server = Server(Path(home), programs, user)
        data = str(server.folder / "data")
        server.run("initdb", "-D", data, "-U", "pawsight", "--auth=trust", "-E", "UTF8", "-N")
        settings = f"-k {home} -c listen_addresses='' -c fsync=off -c max_connections=50"
        server.run("pg_ctl", "-D", data, "-o", settings, "-l", f"{home}/log", "-w", "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    server: Server = request.getfixturevalue("postgres")
    name = f"d{uuid4().hex}"
    server.run("createdb", "-h", str(server.folder), "-U", "pawsight", name)
    return server.url(name)


@pytest.fixture
def place(url: str, tmp_path: Path) -> Place:
    found = find(url, tmp_path / "pictures")
    assert found
    return found


@pytest.fixture
def recording(place: Place) -> Iterator[Callable[..., Recorder]]:
    """Starts recorders of the place, which are closed at the end."""
    started: list[Recorder] = []

    def start(where: Place = place, **bounds: Any) -> Recorder:
        recorder = Recorder(where, Bounds(**bounds))
        started.append(recorder)
        recorder.start()
        return recorder

    yield start
    for each in started:
        each.close()


@pytest.fixture
def recorder(recording: Callable[..., Recorder]) -> Recorder:
    return recording()
