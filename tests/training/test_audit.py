from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from pawsight.training.audit import audit
from tests.command import run
from tests.drawn import drawn_table


class Painter:
    """Describes a picture by the colours of its quarters."""

    name = "painter"
    image_size = 32
    num_outputs = 12

    def __call__(self, pictures: Tensor) -> Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(pictures, 2).flatten(1)


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    return drawn_table(tmp_path / "pictures", 30, ("cat", "dog"))


def test_wrong_labels_are_found_and_right_ones_left_alone(table: pd.DataFrame) -> None:
    wrong = [3, 17, 40, 55]
    table.loc[wrong, "label"] = ["dog", "dog", "cat", "cat"]
    doubts = audit(table, Painter())
    assert {each.path for each in doubts} == set(table.loc[wrong, "path"])
    assert all(each.suggestion != each.label for each in doubts)
    certain = [each.label_probability for each in doubts]
    assert certain == sorted(certain)


def test_a_label_on_too_few_pictures_is_refused(table: pd.DataFrame) -> None:
    table.loc[:2, "label"] = "cow"
    with pytest.raises(ValueError, match="'cow' is on 3 pictures only"):
        audit(table, Painter())
    with pytest.raises(ValueError, match="two or more"):
        audit(table[table["label"] == "cat"], Painter())


def test_one_picture_saved_many_times_is_one(table: pd.DataFrame) -> None:
    copies = table[:8].assign(label="cow")
    for path in copies["path"][1:]:
        shutil.copy(copies["path"].iloc[0], path)
    with pytest.raises(ValueError, match="'cow' is on 1 picture only, of look-alikes one"):
        audit(pd.concat([copies, table[8:]]), Painter())


def test_the_command_writes_a_page_with_the_pictures(
    table: pd.DataFrame, tmp_path: Path, teacher_package: torch.nn.Linear
) -> None:
    table.loc[[3, 40], "label"] = ["dog", "cat"]
    table[["path", "label"]].to_csv(tmp_path / "labels.csv", index=False)
    done = run(
        "audit", "--labels", tmp_path / "labels.csv", "--html", tmp_path / "doubts.html",
        "--output", tmp_path / "doubts.csv", "--describe", "efficientnet-lite0",
        "--image-size", 32,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((tmp_path / "doubts.csv").open()))
    assert f"{len(rows)} of 60 labels are probably wrong" in done.stdout
    page = (tmp_path / "doubts.html").read_text()
    assert page.count("data:image/jpeg;base64,") == len(rows)
    assert all(Path(row["path"]).name in page for row in rows)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    done = run("audit", "--images", tmp_path, "--html", tmp_path / "no" / "doubts.html")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
