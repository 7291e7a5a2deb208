"""One run writes to an output at a time, from its first record to the finished file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pawsight.bulk import output as module
from pawsight.bulk.journal import Journal, NotOurs
from pawsight.bulk.output import Output
from pawsight.bulk.sinks import Format, open_sink
from tests.bulk.test_journal import every, row

fcntl = pytest.importorskip("fcntl")
resource = pytest.importorskip("resource")


@pytest.mark.parametrize("again", [False, True])
def test_no_other_run_writes_until_the_table_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    output = Output(tmp_path / "answers.csv", "csv")
    journal = output.open(every)
    names = ["a", "b", "a"] if again else ["a", "b"]  # of two of a name, one is taken out
    for name in names:
        journal.write(row(name))
    if again:
        journal.close()
        journal = output.open(every)
    tried = []

    def meanwhile(*arguments: Any) -> Any:
        with pytest.raises(NotOurs, match="another run is writing"):
            Journal(output.journal, every)
        with pytest.raises(NotOurs, match="another run is writing"):
            output.set_aside()
        tried.append(True)
        return open_sink(*arguments)

    monkeypatch.setattr(module, "open_sink", meanwhile)
    output.finish(journal, ["cat", "dog"])
    assert tried
    assert sorted(each["path"] for each in output.rows()) == ["a", "b"]
    assert [each.name for each in tmp_path.iterdir()] == ["answers.csv"]


def test_a_finished_table_is_gone_on_with_by_one_run(tmp_path: Path) -> None:
    output = Output(tmp_path / "answers.csv", "csv")
    journal = output.open(every)
    journal.write(row("a"))
    output.finish(journal, ["cat", "dog"])
    with (tmp_path / "answers.csv.journal.begun").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(NotOurs, match="another run is writing"):
            output.open(every)
    journal = output.open(every)
    with pytest.raises(NotOurs, match="another run is writing"):
        output.open(every)
    assert journal.answered + journal.failed + journal.stale == 1
    journal.remove()
    assert [each.name for each in tmp_path.iterdir()] == ["answers.csv"]


def test_what_is_set_aside_is_gone_on_with_by_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Output(tmp_path / "answers.jsonl", "jsonl")
    journal = output.open(every)
    journal.write(row("a"))
    journal.close()
    rename = module.kept_as_backup

    def meanwhile(file: Path) -> Path:
        with pytest.raises(NotOurs, match="another run is writing"):
            output.open(every)
        return rename(file)

    monkeypatch.setattr(module, "kept_as_backup", meanwhile)
    [backup] = output.set_aside()
    assert [each["path"] for each in Output(backup, "jsonl").rows()] == ["a"]
    output.open(every).close()  # of its own name there is none, and nobody writes to it


def test_a_journal_that_is_finished_between_opening_and_locking_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "answers.csv.journal"
    lock = fcntl.flock

    def late(*arguments: Any) -> None:
        file.unlink()
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(NotOurs, match="another run is writing"):
        Journal(file, every)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_that_does_not_fit_leaves_the_journal_and_nothing_else(
    tmp_path: Path, kind: Format, again: bool
) -> None:
    output = Output(tmp_path / f"answers.{kind}", kind)
    names = [str(number) for number in range(5000)]
    with closing(output.open(every)) as journal:
        for name in [*names, "0"] if again else names:  # of two of a name, one is taken out
            journal.write(row(name))
    with files_of_at_most(2048), pytest.raises(OSError, match="File too large"):
        output.finish(output.open(every), ["cat", "dog"])
    assert [each.name for each in tmp_path.iterdir()] == [f"answers.{kind}.journal"]
    output.finish(output.open(every), ["cat", "dog"])
    assert sorted(each["path"] for each in output.rows()) == sorted(names)
    assert [each.name for each in tmp_path.iterdir()] == [f"answers.{kind}"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_finished_table_is_on_the_disk_before_its_journal_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Format
) -> None:
    output = Output(tmp_path / f"answers.{kind}", kind)
    journal = output.open(every)
    journal.write(row("a"))
    on_disk = {}  # size by inode
    fsync, remove = os.fsync, Journal.remove

    def synced(number: int) -> None:
        fsync(number)
        found = os.fstat(number)
        on_disk[found.st_ino] = found.st_size

    def removed(journal: Journal) -> None:
        found = output.file.stat()
        assert on_disk[found.st_ino] == found.st_size
        remove(journal)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Journal, "remove", removed)
    output.finish(journal, ["cat", "dog"])
    assert not output.journal.exists()
    output.open(every).close()  # makes a journal of it, to go on with
    found = output.journal.stat()
    assert on_disk[found.st_ino] == found.st_size
