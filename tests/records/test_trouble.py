"""Databases that cannot be written: why is said, nothing is lost, and it recovers when it can."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.pool import Pool

from pawsight.records import engine, recorder, schema
from pawsight.records.errors import Unavailable
from pawsight.records.place import Place, find
from pawsight.records.record import Said
from pawsight.records.recorder import Recorder
from pawsight.records.store import count
from tests.records.answers import PATIENCE, put, record, settle
from tests.records.conftest import Server

Start = Callable[..., Recorder]
MOST_READERS = 15  # that SQLAlchemy's pool connects


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.05)
    monkeypatch.setattr(recorder, "GATHER", 0.01)
    monkeypatch.setattr(engine, "PATIENCE", 0.1)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def refused(found: Recorder) -> str:
    """Why nothing is recorded, once this is known."""
    until(lambda: found.status.state == "not-written")
    assert found.status.reason
    return found.status.reason


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "records.db"


@pytest.fixture
def sqlite(file: Path) -> Place:
    place = find(f"sqlite:///{file}")
    assert place
    return place


@pytest.fixture
def start(sqlite: Place) -> Iterator[Start]:
    """Starts recorders in SQLite."""
    started: list[Recorder] = []

    def go(place: Place = sqlite) -> Recorder:
        found = Recorder(place)
        started.append(found)
        found.start()
        return found

    yield go
    for each in started:
        each.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program writes, and does not come to an end."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def test_while_it_is_locked_answers_wait_and_then_are_written(start: Start, file: Path) -> None:
    found, first, second = start(), record(), record()
    put(found, first)
    with held(file):
        found.put(second)
        assert refused(found) == "the database is locked by another program"
        assert found.status.waiting == 1
        with pytest.raises(Unavailable, match="locked"):
            found.say(Said(second.id, "cat"), None).result(PATIENCE)
        with pytest.raises(Unavailable, match="locked"):
            settle(found)
        assert found.answer(first.id).prediction == first.prediction  # what is there can be read
    until(lambda: found.status.state == "written")
    assert found.answer(second.id).prediction == second.prediction
    assert (found.status.waiting, found.status.lost) == (0, 0)


def test_however_many_read_answers_and_what_is_said_are_written(
    place: Place, recording: Start
) -> None:
    found, given, later = recording(), record(), record()
    put(found, given)
    may_end, reading = threading.Event(), threading.Semaphore(0)

    def slowly(connection: Connection) -> int:
        reading.release()
        assert may_end.wait(PATIENCE)
        return count(connection)

    with ThreadPoolExecutor(MOST_READERS) as readers:
        try:
            counts = [readers.submit(found.read, slowly) for _ in range(MOST_READERS)]
            assert all(reading.acquire(timeout=PATIENCE) for _ in counts)
            with pytest.raises(Unavailable, match="the database is asked too much at once"):
                found.answer(given.id)
            put(found, later)
            assert found.say(Said(later.id, "dog"), None).result(PATIENCE).label == "dog"
        finally:
            may_end.set()
    assert all(each.result() in (1, 2) for each in counts)
    assert found.answer(later.id).feedback


def test_when_the_disk_is_full_answers_wait_until_there_is_room(start: Start) -> None:
    pages = {"most": 1_000_000}

    def bound(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages['most']}")

    event.listen(Pool, "checkout", bound)
    try:
        found = start()
        put(found, record())
        pages["most"] = 1  # SQLite takes it for no more than there are
        many = [record(bytes([n])) for n in range(200)]
        for each in many:
            found.put(each)
        assert refused(found) == "the disk is full"
        pages["most"] = 1_000_000
        until(lambda: found.status.state == "written")
        assert found.read(count) == 201
    finally:
        event.remove(Pool, "checkout", bound)


def test_a_read_only_database_is_said_and_read(start: Start, file: Path) -> None:
    first = start()
    given = record()
    put(first, given)
    first.close()
    only = find(f"sqlite:///file:{file}?mode=ro&uri=true", file.parent)
    found = start(only)
    assert refused(found) == "the database is read-only"
    found.put(record())
    assert found.status.waiting == 1
    assert found.answer(given.id).prediction == given.prediction


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_only_reads_is_said(recording: Start, place: Place) -> None:
    first = recording()
    put(first, record())
    with create_engine(place.url).connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        setting = f'ALTER DATABASE "{name}" SET default_transaction_read_only = '
        connection.execute(text(f"{setting} on"))
        connection.commit()
        first.close()
        second = recording()
        assert refused(second) == "the database is read-only"
        connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"))
        connection.execute(text(f"{setting} off"))
        connection.commit()
    second.put(record())
    until(lambda: second.status.state == "written")
    assert second.read(count) == 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_goes_away_and_comes_back(postgres: Server, recording: Start) -> None:
    found = recording()
    put(found, record())
    data = str(postgres.folder / "data")
    postgres.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    try:
        found.put(record())
        assert refused(found) == "the database does not answer"
    finally:
        home = postgres.folder
        options = f"-k {home} -c listen_addresses='' -c fsync=off"
        postgres.run("pg_ctl", "-D", data, "-o", options, "-l", f"{home}/log", "-w", "start")
    until(lambda: found.status.state == "written")
    assert found.read(count) == 2


def test_a_schema_that_is_newer_is_left_alone(place: Place, recording: Start) -> None:
    first = recording()
    put(first, record())
    first.close()
    with create_engine(place.url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    second = recording()
    words = refused(second)
    assert "made by a newer pawsight" in words
    assert "9999" in words
    second.put(record())
    with pytest.raises(Unavailable, match="newer"):
        second.answer("0" * 32)
    with create_engine(place.url).begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM answers")).scalar() == 1
        connection.execute(
            text("UPDATE alembic_version SET version_num = :v"), {"v": schema.CURRENT}
        )
    until(lambda: second.status.state == "written")  # as if it had been put back
    assert second.read(count) == 2


def test_a_schema_that_is_older_is_migrated_at_the_start(place: Place, recording: Start) -> None:
    """The oldest of all: a database of which alembic knows, with nothing in it yet."""
    with create_engine(place.url).begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    found = recording()
    put(found, record())
    with create_engine(place.url).begin() as connection:
        assert schema.version(connection) == schema.CURRENT


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    place: Place, recording: Start
) -> None:
    with create_engine(place.url).begin() as connection:
        connection.execute(text("CREATE TABLE feedback (id INTEGER)"))  # in the way of ours
    found = recording()
    assert "holds tables of another program" in refused(found)
    with create_engine(place.url).begin() as connection:
        assert schema.version(connection) is None
        connection.execute(text("DROP TABLE feedback"))
    until(lambda: found.status.state == "written")


@pytest.mark.parametrize(
    "tables",
    [
        ("CREATE TABLE answers (question TEXT)",),
        (
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
            "INSERT INTO alembic_version VALUES ('1975ea83b712')",
        ),
        (
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
            f"INSERT INTO alembic_version VALUES ('{schema.CURRENT}')",
            "CREATE TABLE answers (id TEXT, question TEXT)",
        ),
    ],
)
def test_the_database_of_another_program_is_said_to_be_one_and_left_alone(
    place: Place, recording: Start, tables: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with create_engine(place.url).begin() as connection:
        for each in tables:
            connection.execute(text(each))
        there = inspect(connection).get_table_names()
    found = recording()
    found.put(record())
    assert "holds tables of another program" in refused(found)
    with pytest.raises(Unavailable, match="another program"):
        found.say(Said("0" * 32, "cat"), None).result(PATIENCE)
    assert not any(each.exc_info for each in caplog.records)
    with create_engine(place.url).begin() as connection:
        assert inspect(connection).get_table_names() == there


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE notes (text)",
        "CREATE VIEW notes AS SELECT 1",
        "CREATE TABLE answers (question TEXT)",
        "CREATE TABLE alembic_version (version_num); CREATE TABLE notes (text)",
        "CREATE TABLE alembic_version (version_num); "
        "INSERT INTO alembic_version VALUES ('1975ea83b712')",
        "CREATE TABLE alembic_version (version_num); CREATE TABLE notes (text); "
        f"INSERT INTO alembic_version VALUES ('{schema.CURRENT}')",
        "CREATE TABLE alembic_version (number)",
    ],
)
@pytest.mark.parametrize("uri", [False, True])
def test_the_file_of_another_program_is_refused_and_keeps_its_bytes(
    start: Start, sqlite: Place, file: Path, script: str, uri: bool
) -> None:
    file.parent.mkdir()
    other = sqlite3.connect(file)
    other.executescript(script)
    other.close()
    before = file.read_bytes()
    own = find(f"sqlite:///file:{file}?mode=rw&uri=true", file.parent)
    assert own
    found = start(own if uri else sqlite)
    found.put(record())
    assert "holds tables of another program" in refused(found)
    with pytest.raises(Unavailable, match="another program"):
        settle(found)
    found.close()
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_an_empty_file_is_taken_and_a_table_beside_ours_disturbs_nothing(
    start: Start, file: Path
) -> None:
    file.parent.mkdir()
    file.touch()
    first = start()
    put(first, record())
    first.close()
    other = sqlite3.connect(file)
    other.executescript("CREATE TABLE notes (text); ANALYZE")
    other.close()
    second = start()
    put(second, record())
    assert second.read(count) == 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_may_hold_tables_of_others_beside_ours(place: Place, recording: Start) -> None:
    with create_engine(place.url).begin() as connection:
        connection.execute(text("CREATE TABLE notes (text TEXT)"))
    put(recording(), record())


def test_services_that_start_together_in_a_new_file_all_write(start: Start) -> None:
    services = [start() for _ in range(4)]
    for each in services:
        each.put(record())
    until(lambda: all(each.status.state == "written" for each in services))
    until(lambda: services[0].read(count) == len(services))


def test_a_file_that_is_locked_when_it_is_looked_at_is_looked_at_again(
    start: Start, file: Path
) -> None:
    file.parent.mkdir()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    found = start()
    found.put(record())
    assert refused(found) == "the database is locked by another program"
    other.execute("ROLLBACK")
    other.close()
    until(lambda: found.status.state == "written")
    assert found.read(count) == 1


def test_the_code_knows_the_last_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.CURRENT


def test_the_migrations_make_the_tables_that_the_code_expects(
    place: Place, recording: Start
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pawsight.records.tables import Base

    settle(recording())
    with create_engine(place.url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_alembic_is_not_imported_where_the_schema_is_current(
    start: Start, sqlite: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(start(), record())
    monkeypatch.setitem(__import__("sys").modules, "alembic.config", None)
    again = start()
    put(again, record())


def test_a_file_that_is_deleted_while_the_service_runs_is_made_anew(
    start: Start, file: Path
) -> None:
    found = start()
    put(found, record())
    for each in file.parent.glob("records.db*"):
        each.unlink()
    given = record()
    put(found, given)
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT id FROM answers").fetchall() == [(given.id,)]
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda file: file.write_bytes(b"dear service, " * 400), "no SQLite database"),
        (lambda file: file.mkdir(), "cannot be opened"),
        (lambda file: (file.parent.rmdir(), file.parent.write_text("")), "the database fails"),
    ],
)
def test_what_is_no_database_is_said_and_not_touched(
    start: Start, file: Path, spoil: Callable[[Path], object], words: str
) -> None:
    file.parent.mkdir()
    spoil(file)
    before = os.stat(file.parent).st_mtime_ns, file.is_file() and file.read_bytes()
    found = start()
    assert words in refused(found)
    assert (os.stat(file.parent).st_mtime_ns, file.is_file() and file.read_bytes()) == before


def test_pictures_that_cannot_be_kept_are_said_and_answers_are_written(
    sqlite: Place, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "no-folder").write_text("")
    found = start(replace(sqlite, pictures=tmp_path / "no-folder"))
    given = record(keep=True)
    put(found, given)
    assert found.status.state == "written"
    assert re.match("pictures cannot be kept: ", found.status.reason or "")
    with pytest.raises(Unavailable, match="the picture cannot be kept"):
        found.say(Said(given.id, "dog", None, given.digest), b"a picture").result(PATIENCE)
    assert found.answer(given.id).feedback is None


def test_trouble_is_logged_once_and_its_end_too(
    start: Start, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = start()
    put(found, record())
    with caplog.at_level(logging.INFO, "pawsight.records"):
        with held(file):
            found.put(record())
            refused(found)
            time.sleep(0.5)  # and it is tried again
        until(lambda: found.status.state == "written")
    said = [each.getMessage() for each in caplog.records if "recorded" in each.getMessage()]
    assert said == [
        "answers are not recorded: the database is locked by another program",
        "answers are recorded again",
    ]


def test_postgres_without_its_driver_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pawsight.extras import ExtraMissing

    monkeypatch.setattr("pawsight.extras.find_spec", lambda _: None)
    with pytest.raises(ExtraMissing, match=r"psycopg.*'postgres'"):
        find("postgresql://cat@nowhere/records")


@pytest.mark.parametrize(
    "setting", ["", "on", "records.db", "mysql://a/b", "sqlite://", "sqlite:///", "postgresql:/x"]
)
def test_a_setting_that_names_no_place_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="it must be `sqlite`"):
        find(setting)


@pytest.mark.parametrize(
    "setting",
    [
        "sqlite:///records.db?mode=ro",
        "sqlite:///records.db?timeout=5",
        "sqlite:///records.db?",
        "sqlite:///records.db?mode=ro&uri=true",
        "sqlite:///file:records.db",
        "sqlite:///file:records.db?mode=ro",
        "sqlite:///file:records.db?uri=false",
    ],
)
def test_parameters_that_would_be_passed_over_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="takes no parameters after a `\\?`"):
        find(setting)


def test_the_default_lies_in_the_data_folder_and_off_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    place = find("sqlite")
    assert place
    assert place.file == tmp_path / "pawsight" / "records.db"
    assert place.pictures == tmp_path / "pawsight" / "pictures"
    assert find("off") is None


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(find("postgresql://cat:secret@nowhere/records"))


def test_an_answer_that_no_database_takes_is_lost_and_the_others_are_written(
    place: Place, recording: Start
) -> None:
    recorder = recording()
    good, bad = record(), record()
    bad = replace(bad, seconds=None)  # type: ignore[arg-type]
    for each in (bad, good):
        recorder.put(each)
    assert recorder.kept(good.id).result(PATIENCE)
    assert not recorder.kept(bad.id).result(PATIENCE)
    assert (recorder.status.state, recorder.status.lost) == ("written", 1)
