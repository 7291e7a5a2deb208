from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawsight.data.problems import TableError
from pawsight.data.splits import SPLITS, assign_splits, split_by_number
from pawsight.data.table import read_table

if TYPE_CHECKING:
    from pathlib import Path


def numbered(count: int, labels: tuple[str, ...] = ("cat", "dog")) -> pd.DataFrame:
    """Files named as in the competition, ``count`` of each label, numbered from 1."""
    rows = [(f"/x/{label}.{i}.jpg", label) for label in labels for i in range(1, count + 1)]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["path", "label"])
    return frame


def unnumbered(counts: dict[str, int]) -> pd.DataFrame:
    rows = [
        (f"/x/{label}/{'abcdefghij'[i % 10]} {i}.jpg", label)
        for label, count in counts.items()
        for i in range(count)
    ]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["path", "label"])
    return frame


def by_path(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["path"], frame["split"], strict=True))


class TestSeeded:
    @settings(max_examples=40, deadline=None)
    @given(
        cats=st.integers(3, 400),
        dogs=st.integers(3, 400),
        validation=st.floats(0.05, 0.3),
        test=st.floats(0.05, 0.3),
        seed=st.integers(0, 5),
    )
    def test_is_stratified(
        self, cats: int, dogs: int, validation: float, test: float, seed: int
    ) -> None:
        frame = unnumbered({"cat": cats, "dog": dogs})
        result = assign_splits(frame, validation=validation, test=test, seed=seed)
        assert result.strategy == "seeded"
        assert result.problems == ()
        for label, count in (("cat", cats), ("dog", dogs)):
            found = result.frame[result.frame["label"] == label]["split"].value_counts()
            assert set(found.index) == set(SPLITS)
            assert abs(found["validation"] - validation * count) <= 1
            assert abs(found["test"] - test * count) <= 1

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_moves_groups_whole(self, data: st.DataObject) -> None:
        frame = unnumbered({"cat": 60, "dog": 60})
        groups = np.array(data.draw(st.lists(st.integers(0, 40), min_size=120, max_size=120)))
        frame["group"] = data.draw(
            st.lists(st.sampled_from(["", "", "", "a", "b"]), min_size=120, max_size=120)
        )
        try:
            result = assign_splits(frame, groups=groups, seed=data.draw(st.integers(0, 3)))
        except TableError:  # all are linked
            return
        split = result.frame["split"].to_numpy()
        for number in set(groups):
            assert len(set(split[groups == number])) == 1
        for name in ("a", "b"):
            assert len(set(split[(frame["group"] == name).to_numpy()])) <= 1
        assert len(result.frame) == 120

    def test_keeps_shares_with_groups_of_many_sizes(self) -> None:
        frame = unnumbered({"cat": 1000, "dog": 500})
        groups = np.floor(np.sqrt(np.arange(1500) * 20)).astype(np.intp)
        split = assign_splits(frame, groups=groups).frame
        share = pd.crosstab(split["label"], split["split"], normalize="index")
        assert abs(share[["validation", "test"]] - 0.1).to_numpy().max() < 0.02

    def test_gives_groups_of_each_size_the_same_chance(self) -> None:
        frame = unnumbered({"cat": 2000, "dog": 2000})
        groups = np.where(np.arange(4000) % 2 == 0, np.arange(4000), np.arange(4000) // 4 * 4 + 1)
        split = assign_splits(frame, groups=groups).frame["split"].to_numpy()
        in_pairs = split[np.arange(4000) % 2 == 1]
        for name in ("validation", "test"):
            assert abs((in_pairs == name).mean() - 0.1) < 0.02

    def test_is_the_same_whatever_the_order_of_rows(self) -> None:
        frame = unnumbered({"cat": 100, "dog": 90})
        groups = np.arange(190) // 3
        first = assign_splits(frame, groups=groups, seed=3).frame
        order = np.random.default_rng(0).permutation(190)
        shuffled = frame.iloc[order]
        renamed = 1000 - groups[order]
        second = assign_splits(shuffled, groups=renamed, seed=3).frame
        assert by_path(first) == by_path(second)
        assert list(second["path"]) == list(shuffled["path"])
        assert list(second.index) == list(range(190))
        assert by_path(first) != by_path(assign_splits(frame, groups=groups, seed=4).frame)

    def test_leaves_the_frame_that_it_was_given_alone(self) -> None:
        frame = unnumbered({"cat": 10, "dog": 10})
        assign_splits(frame)
        assert list(frame.columns) == ["path", "label"]

    @pytest.mark.parametrize(
        ("pictures", "absent"), [(1, "validation or test"), (2, "test"), (3, None)]
    )
    def test_gives_a_small_class_to_training_first(self, pictures: int, absent: str | None) -> None:
        result = assign_splits(unnumbered({"cat": 20, "lynx": pictures}))
        reasons = [str(problem) for problem in result.problems]
        assert reasons == ([f"no picture of 'lynx' is in {absent}"] if absent else [])
        assert "train" in set(result.frame[result.frame["label"] == "lynx"]["split"])

    def test_of_twenty_classes_of_three_fills_every_split(self) -> None:
        result = assign_splits(unnumbered({f"class {i}": 3 for i in range(20)}))
        assert result.problems == ()
        assert result.frame["split"].value_counts().to_dict() == dict.fromkeys(SPLITS, 20)

    def test_may_do_without_a_split(self) -> None:
        frame = unnumbered({"cat": 10, "dog": 10})
        assert set(assign_splits(frame, test=0).frame["split"]) == {"train", "validation"}
        assert set(assign_splits(frame, test=0, validation=0).frame["split"]) == {"train"}

    def test_refuses_too_few(self) -> None:
        words = "no picture is left for validation and test: there are too few pictures"
        with pytest.raises(TableError, match=words):
            assign_splits(unnumbered({"cat": 1}))
        with pytest.raises(TableError, match="no picture is left for test"):
            assign_splits(unnumbered({"cat": 6}), groups=np.array([0, 0, 0, 1, 1, 1]))
        with pytest.raises(TableError, match="no picture is left for train"):
            assign_splits(unnumbered({"cat": 0}))

    @pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.1), (1, 0)])
    def test_refuses_shares_that_leave_nothing(self, validation: float, test: float) -> None:
        with pytest.raises(TableError, match="no training rows are left"):
            assign_splits(unnumbered({"cat": 9}), validation=validation, test=test)


class TestNumber:
    def test_tells_test_rows_in_every_class(self) -> None:
        result = assign_splits(numbered(100))
        assert result.strategy == "number"
        for path, split in by_path(result.frame).items():
            assert (split == "test") == path.endswith("0.jpg")
        assert result.frame["split"].value_counts().to_dict() == {
            "train": 162,
            "validation": 18,
            "test": 20,
        }

    def test_takes_the_divisor_given_and_any_name_with_a_number(self) -> None:
        frame = numbered(20).assign(path=[f"/x2/cat_{i:04} (copy).jpg" for i in range(40)])
        result = assign_splits(frame, test_every=5)
        tests = result.frame[result.frame["split"] == "test"]["path"]
        assert list(tests) == [f"/x2/cat_{i:04} (copy).jpg" for i in range(0, 40, 5)]
        assert assign_splits(frame).strategy == "seeded"

    def test_is_not_taken_where_no_number_divides(self) -> None:
        assert assign_splits(numbered(9)).strategy == "seeded"

    def test_leaves_twins_of_test_rows_out_of_the_others(self) -> None:
        frame = numbered(100)
        groups = np.arange(200)
        groups[[0, 1]] = groups[9]  # cat.1 and cat.2 look like cat.10
        groups[150] = groups[151]  # dog.51 and dog.52 look alike
        result = assign_splits(frame, groups=groups)
        splits = by_path(result.frame)
        assert set(by_path(frame.assign(split=""))) - set(splits) == {
            "/x/cat.1.jpg",
            "/x/cat.2.jpg",
        }
        assert splits["/x/dog.51.jpg"] == splits["/x/dog.52.jpg"]
        assert [(p.path, p.code) for p in result.problems] == [
            ("/x/cat.1.jpg", "twin-in-test"),
            ("/x/cat.2.jpg", "twin-in-test"),
        ]
        assert "looks like /x/cat.10.jpg, which is in test" in str(result.problems[0])

    def test_does_not_change_the_test_rows_with_the_seed(self) -> None:
        results = [by_path(assign_splits(numbered(50), seed=seed).frame) for seed in (0, 1)]
        tests = [{path for path, split in r.items() if split == "test"} for r in results]
        assert tests[0] == tests[1]
        assert results[0] != results[1]

    def test_says_which_class_has_no_test_row(self) -> None:
        frame = numbered(30).query("path != '/x/dog.10.jpg' and path != '/x/dog.20.jpg'")
        (problem,) = assign_splits(frame[frame["path"] != "/x/dog.30.jpg"]).problems
        assert str(problem) == "no picture of 'dog' is in test"
        assert problem.code == "absent-class"

    def test_refuses_an_empty_split_and_names_without_numbers(self) -> None:
        with pytest.raises(
            TableError, match="left for test: the test pictures are those whose number"
        ):
            assign_splits(numbered(20), test_every=1000)
        with pytest.raises(TableError, match="left for train and validation"):
            assign_splits(numbered(20), test_every=1)
        with pytest.raises(TableError, match=r"x/puss\.jpg has no number in its name"):
            assign_splits(numbered(3).assign(path="x/puss.jpg"), test_every=5)

    def test_is_the_last_of_the_name(self) -> None:
        paths = ["native7/cat.1230.jpg", "a/dog_0005.jpg", "c101_llama_10.jpg", "x/cat.0.jpg"]
        assert split_by_number(paths, 10).tolist() == [True, False, True, True]


class TestColumn:
    def test_is_followed(self) -> None:
        splits = ["train", "train", "train", "val", "test"] * 2
        result = assign_splits(numbered(5).assign(split=splits))
        assert result.strategy == "column"
        assert list(result.frame["split"]) == ["train"] * 3 + ["validation", "test"] + [
            "train"
        ] * 3 + ["validation", "test"]

    def test_twins_stay_where_they_are_measured(self) -> None:
        frame = numbered(6).assign(
            split=["train", "train", "train", "validation", "test", "test"] * 2
        )
        groups = np.array([0, 1, 2, 1, 0, 5, 6, 7, 8, 10, 10, 10])
        result = assign_splits(frame, groups=groups)
        assert [(p.path, p.code) for p in result.problems] == [
            ("/x/cat.1.jpg", "twin-in-test"),
            ("/x/cat.2.jpg", "twin-in-validation"),
            ("/x/dog.4.jpg", "twin-in-test"),
            ("", "absent-class"),
        ]
        assert str(result.problems[3]) == "no picture of 'dog' is in validation"

    def test_a_split_that_it_does_not_mention_is_drawn_from_training(self) -> None:
        frame = numbered(50).assign(
            split=["train"] * 40 + ["test"] * 10 + ["train"] * 40 + ["test"] * 10
        )
        groups = np.arange(100) // 2
        result = assign_splits(frame, groups=groups)
        counts = result.frame["split"].value_counts().to_dict()
        assert counts == {"train": 72, "validation": 8, "test": 20}
        assert set(result.frame[result.frame["split"] == "test"]["path"]) == set(
            frame[frame["split"] == "test"]["path"]
        )

    def test_refuses_what_is_no_split(self) -> None:
        with pytest.raises(TableError, match="'holdout' in the column 'split' is not train"):
            assign_splits(numbered(2).assign(split="holdout"))
        with pytest.raises(TableError, match=r"left for train.*: see the column 'split'"):
            assign_splits(numbered(2).assign(split="test"))


def test_rows_of_one_path_are_twins() -> None:
    frame = pd.concat([unnumbered({"cat": 30})] * 2)
    split = assign_splits(frame).frame
    assert (split.groupby("path")["split"].nunique() == 1).all()


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="5 groups for 4 rows"):
        assign_splits(numbered(2), groups=np.arange(5))


def test_the_competition_is_split_as_everyone_reports(shared_data: Path) -> None:
    folder = shared_data / "dogs-vs-cats"
    frame = read_table(folder / "labels.csv", folder / "images", check_images=False).frame
    result = assign_splits(frame)
    assert result.strategy == "number"
    counts = pd.crosstab(result.frame["label"], result.frame["split"])
    assert (
        counts["test"].sum() == 2500 == sum(int(p.split(".")[-2]) % 10 == 0 for p in frame["path"])
    )
    share = counts["validation"] / (counts["validation"] + counts["train"])
    assert abs(share - 0.1).max() < 0.001
