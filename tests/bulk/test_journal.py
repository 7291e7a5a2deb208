from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pawsight.bulk.items import Fingerprint
from pawsight.bulk.journal import Journal, NotOurs, rows_of
from pawsight.bulk.rows import Record, Row


@dataclass
class Thing:
    name: str
    found: Fingerprint = field(default_factory=lambda: Fingerprint(1, "then"))

    def fingerprint(self) -> Fingerprint:
        return self.found

    def read(self, limits: object = None) -> bytes:
        return b""


def row(name: str, error: str | None = None, size: int = 1) -> Row:
    return Record(name, None, error, Fingerprint(size, "then")).row()


def every(_: Row) -> bool:
    return True


def written(file: Path, *names: str) -> None:
    journal = Journal(file, every)
    for name in names:
        journal.write(row(name))
    journal.close()


def names(file: Path) -> list[str]:
    return [each["path"] for each in rows_of(file)]


def test_what_is_there_is_known_and_what_is_new_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a", "b")
    journal = Journal(file, every)
    assert journal.answered == 2
    assert journal.has(Thing("a"))
    assert journal.has(Thing("b"))
    assert not journal.has(Thing("c"))
    journal.write(row("c"))
    journal.tidy()
    journal.close()
    assert names(file) == ["a", "b", "c"]


def test_each_of_many_new_ones_is_known_when_it_is_met_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl", every)
    things = [Thing(str(number)) for number in range(70_000)]
    assert not any(map(journal.has, things))
    assert all(map(journal.has, things))
    journal.close()


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_record_that_was_cut_short_is_taken_away(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a", "b")
    file.write_bytes(file.read_bytes()[:-cut])
    journal = Journal(file, every)
    assert journal.torn
    assert journal.has(Thing("a"))
    assert not journal.has(Thing("b"))
    journal.write(row("b"))
    journal.tidy()
    journal.close()
    assert names(file) == ["a", "b"]
    assert file.read_bytes().count(b"\n") == 2


def test_even_the_first_record_may_be_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a")
    file.write_bytes(file.read_bytes()[:15])
    journal = Journal(file, every)
    assert (journal.torn, journal.answered) == (True, 0)
    journal.close()
    assert file.read_bytes() == b""


def test_a_hole_that_a_power_cut_left_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a")
    with file.open("ab") as stream:
        stream.write(bytes(4096) + b"\n")
    journal = Journal(file, every)
    assert (journal.answered, journal.stale) == (1, 0)
    journal.tidy()
    journal.close()
    assert file.read_bytes().count(b"\0") == 0


def test_a_file_that_changed_is_asked_again_and_its_old_record_goes(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a", "b")
    journal = Journal(file, every)
    assert not journal.has(Thing("a", Fingerprint(2, "then")))
    assert journal.has(Thing("a", Fingerprint(2, "then")))  # asked in this run
    assert journal.changed == 1
    journal.write(row("a", size=2))
    journal.tidy()
    journal.close()
    assert [(each["path"], each["size"]) for each in rows_of(file)] == [("b", 1), ("a", 2)]


def test_of_two_records_of_a_name_the_later_holds(tmp_path: Path) -> None:
    """A run that was killed before it took the old one out."""
    file = tmp_path / "j.jsonl"
    written(file, "a", "b")
    journal = Journal(file, every)
    journal.write(row("a", size=2))
    journal.close()
    journal = Journal(file, every)
    assert journal.has(Thing("a", Fingerprint(2, "then")))
    journal.tidy()
    journal.close()
    assert [(each["path"], each["size"]) for each in rows_of(file)] == [("b", 1), ("a", 2)]


def test_records_that_do_not_hold_are_not_known(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    journal = Journal(file, every)
    journal.write(row("a"))
    journal.write(row("b", error="cannot be read: it was away"))
    journal.close()
    journal = Journal(file, lambda each: each["error"] is None)
    assert (journal.answered, journal.failed, journal.stale) == (1, 0, 1)
    assert not journal.has(Thing("b"))
    journal.tidy()
    journal.close()
    assert names(file) == ["a"]


def test_a_record_that_does_not_hold_stays_until_its_picture_is_met(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    written(file, "a", "b")
    journal = Journal(file, lambda _: False)
    assert journal.stale == 2
    assert not journal.has(Thing("b"))
    journal.write(row("b"))
    assert journal.stale == 1
    journal.tidy()
    journal.close()
    assert names(file) == ["a", "b"]


@pytest.mark.parametrize(
    "content", [b"hello\n", b'{"other": "json"}\n', b"[1, 2]\n", b"path,label\n", b"hel"]
)
def test_what_is_not_ours_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "theirs"
    file.write_bytes(content)
    with pytest.raises(NotOurs, match=r"'.*theirs' was not written by pawsight classify"):
        Journal(file, every)
    assert file.read_bytes() == content
