from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from pawsight.bulk.answers import read_answers
from pawsight.bulk.difference import Change, Difference, compare
from pawsight.bulk.rows import Record
from pawsight.bulk.sinks import open_sink


def row(path: str, label: str | None = "cat", confidence: float | None = 0.9) -> dict[str, Any]:
    error = "truncated" if label is None else None
    return {"path": path, "label": label, "confidence": confidence, "error": error}


def changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> tuple[dict[str, Change], Difference]:
    difference = Difference()
    found = {each.path: each for each in compare(lambda: before, after, difference)}
    return found, difference


def test_what_is_the_same_is_counted_and_no_more() -> None:
    rows = [row("a"), row("b", "dog"), row("c", None, None)]
    shuffled = random.Random(0).sample(rows, 3)
    found, difference = changes(rows, shuffled)
    assert (found, difference.same, difference.changed) == ({}, 3, 0)


def test_flips_moves_and_files_of_one_run_alone() -> None:
    before = [row("flip"), row("move"), row("still", confidence=0.85), row("old"), row("bad")]
    after = [
        row("new", "dog"), row("bad", None, None), row("still"), row("move", confidence=0.5),
        row("flip", "neither", 0.7),
    ]  # fmt: skip
    found, difference = changes(before, after)
    assert set(found) == {"flip", "move", "old", "bad", "new"}
    assert (found["flip"].before, found["flip"].after) == ("cat", "neither")
    assert found["flip"].confidence_after == 0.7
    assert abs((found["flip"].confidence_before or 0) - 0.9) < 1e-6
    assert (found["bad"].before, found["bad"].after) == ("cat", "error")
    assert (found["old"].after, found["new"].before) == (None, None)
    assert (difference.same, difference.moved, difference.flipped) == (1, 1, 2)
    assert (difference.only_before, difference.only_after) == (1, 1)
    assert difference.flips == {("cat", "neither"): 1, ("cat", "error"): 1}


def test_an_empty_run_is_compared_too() -> None:
    found, difference = changes([], [row("a")])
    assert (len(found), difference.only_after) == (1, 1)
    found, difference = changes([row("a")], [])
    assert (len(found), difference.only_before) == (1, 1)


def test_what_has_several_records_counts_once() -> None:
    once, twice = [row("a"), row("b")], [row("a"), row("b"), row("a")]
    for before, after in ((once, twice), (twice, once), (twice, twice)):
        assert changes(before, after)[1].same == 2
    flipped = [row("a", "dog"), row("b"), row("a", "dog")]
    assert changes(once, flipped)[1].flipped == 1
    assert changes(twice, [row("b")])[1].only_before == 1


def test_nothing_moved_between_a_run_and_itself() -> None:
    rows = [row("a", confidence=0.9969102211426012), row("b", confidence=1 / 3)]
    difference = Difference()
    assert list(compare(lambda: rows, rows, difference, moved=0)) == []
    assert difference.same == 2


def test_names_with_ends_of_lines_go_through_a_csv(tmp_path: Path) -> None:
    file, names = tmp_path / "answers.csv", ["a\rb.jpg", "a\nb.jpg", "a\r\nb.jpg", 'a", b.jpg']
    with file.open("w", encoding="utf-8", newline="") as stream:
        sink = open_sink("csv", stream, ("cat", "dog"))
        for name in names:
            sink.write(Record(name, None, "not an image").row())
        sink.close()
    assert [row["path"] for row in read_answers(file, "csv")] == names
