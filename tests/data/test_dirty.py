"""The real export with every kind of dirt; what is wrong with each row was found by other means.

The rows were listed by the csv module, the labels by eye, missing files by listing the folder,
files that cannot be read by Pillow alone, and equal files by sha256sum.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pawsight.data.table import Table, read_table

BAD_ROWS = {
    "missing-label": {
        *(142, 190, 261, 461, 525, 595),  # nothing
        *(30, 154, 303, 322, 436),  # a blank
        *(110, 220, 359, 396, 512),  # NaN
        *(223, 269, 451, 556),  # null
    },
    "rare-label": {285, 486, 583},  # Bird
    "missing-file": {19, 34, 218, 235, 247, 433, 464, 483},
    "truncated": {9, 84, 168, 308, 503, 580},
    "not-an-image": {126, 176, 457, 222, 491, 531},  # three empty, three of text
    "repeated-row": {601, 602, 603, 604, 605},
    "same-picture": {606, 607, 608},
    "contradicting-labels": {43, 609, 251, 610, 526, 611},
}
MISSPELT = {4: "cat", 250: "cat", 279: "dog", 302: "dog", 528: "dog", 572: "dog"}


@pytest.fixture(scope="module")
def table(shared_data: Path) -> Table:
    return read_table(shared_data / "dirty/labels.csv", shared_data / "dirty/images")


def test_every_bad_row_is_named_for_what_it_is_and_no_other(table: Table) -> None:
    found: dict[str, set[int]] = {}
    for problem in table.problems:
        found.setdefault(problem.code, set()).add(problem.row)
    assert found == BAD_ROWS
    assert len(table.problems) == sum(map(len, BAD_ROWS.values())) == 57


def test_the_rest_is_used(table: Table, shared_data: Path) -> None:
    source = pd.read_csv(shared_data / "dirty/labels.csv", keep_default_na=False)
    bad = {row for rows in BAD_ROWS.values() for row in rows}
    good = [row for row in range(1, 612) if row not in bad]
    names = [str(source["image_name"][row - 1]) for row in good]
    assert len(good) == len(table.frame) == 554
    assert [Path(path).name for path in table.frame["path"]] == names
    assert list(table.frame["label"]) == [name[:3] for name in names]
    assert all(Path(path).is_file() for path in table.frame["path"])
    assert table.classes == ("cat", "dog")


def test_misspelt_labels_are_understood(table: Table, shared_data: Path) -> None:
    source = pd.read_csv(shared_data / "dirty/labels.csv", keep_default_na=False)
    label_of = {Path(p).name: label for p, label in table.frame[["path", "label"]].to_numpy()}
    for row, label in MISSPELT.items():
        assert label_of[source["image_name"][row - 1]] == label


def test_every_problem_says_what_to_do(table: Table) -> None:
    for problem in table.problems:
        assert problem.path
        assert problem.reason
        assert problem.advice


def test_contradictions_name_each_other(table: Table) -> None:
    reasons = {p.row: p.reason for p in table.problems if p.code == "contradicting-labels"}
    assert reasons[43] == "the same picture is 'cat' here and 'dog' in row 609, cat.1365.jpg"
    assert reasons[609] == "the same picture is 'dog' here and 'cat' in row 43, cat.1365.jpg"


def test_the_report_counts_each_kind(table: Table) -> None:
    summary = table.summary()
    assert summary.startswith("554 of 611 pictures can be used\nclasses: cat 266, dog 288\n")
    for code, rows in BAD_ROWS.items():
        assert f"{len(rows)} × {code.replace('-', ' ')}\n" in summary
    assert "row 285, cat.10157.jpg: 'bird' has 3 usable pictures beside 288 of 'dog'" in summary
    assert "and 17 more" in summary


def test_with_classes_named_a_bird_is_an_unknown_label(shared_data: Path) -> None:
    folder = shared_data / "dirty"
    table = read_table(folder / "labels.csv", folder / "images", classes=["Dog", "CAT "])
    birds = {p.row: p.reason for p in table.problems if p.code == "unknown-label"}
    assert set(birds) == BAD_ROWS["rare-label"]
    assert set(birds.values()) == {"'bird' is none of the classes cat, dog"}
    assert len(table.frame) == 554


def test_without_opening_files_their_names_still_tell_much(shared_data: Path) -> None:
    folder = shared_data / "dirty"
    table = read_table(folder / "labels.csv", folder / "images", check_images=False)
    unseen = BAD_ROWS["truncated"] | BAD_ROWS["not-an-image"] | BAD_ROWS["same-picture"]
    bad = {row for rows in BAD_ROWS.values() for row in rows}
    assert {problem.row for problem in table.problems} == bad - unseen
