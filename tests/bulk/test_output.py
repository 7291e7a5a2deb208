"""One run writes to an output at a time, from its first record to the finished file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pawsight.bulk import output as module
from pawsight.bulk.journal import Journal, NotOurs
from pawsight.bulk.output import Output
from pawsight.bulk.sinks import open_sink
from tests.bulk.test_journal import every, row

fcntl = pytest.importorskip("fcntl")


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
