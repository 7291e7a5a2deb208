from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pawsight.data.columns import normalise_label
from pawsight.data.problems import TableError
from pawsight.data.table import Table, read_table

Write = Callable[[str, int], Path]


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def labelled(write: Write, labels: list[str]) -> pd.DataFrame:
    paths = [str(write(f"{number}.png", number)) for number in range(len(labels))]
    frame: pd.DataFrame = pd.DataFrame({"path": paths, "label": labels})
    return frame


def codes(table: Table) -> dict[int, str]:
    return {problem.row: problem.code for problem in table.problems}


PAIRS = ["cat", "cat", "dog", "dog"]


class TestColumns:
    @pytest.mark.parametrize(
        "header",
        ["path,label", "Image_Name,Label", "FILENAME,class", "file name,Target", "x,label", "a,b"],
    )
    def test_are_found_by_usual_names_or_as_the_only_two(
        self, tmp_path: Path, write: Write, header: str
    ) -> None:
        rows = [f"{write(f'{i}.png', i).name},{label}" for i, label in enumerate(PAIRS)]
        table = read_table(csv(tmp_path, "\n".join([header, *rows])))
        assert list(table.frame["label"]) == PAIRS
        assert list(table.frame.columns) == ["path", "label"]

    def test_a_table_and_a_folder_may_be_named_by_strings(
        self, tmp_path: Path, write: Write
    ) -> None:
        rows = [f"{write(f'{i}.png', i).name},{label}" for i, label in enumerate(PAIRS)]
        file = csv(tmp_path, "\n".join(["path,label", *rows]))
        table = read_table(str(file), str(tmp_path))
        assert list(table.frame["label"]) == PAIRS

    def test_two_unnamed_ones_are_told_apart_by_what_they_hold(
        self, tmp_path: Path, write: Write
    ) -> None:
        rows = [f"{label},{write(f'{i}.png', i).name}" for i, label in enumerate(PAIRS)]
        table = read_table(csv(tmp_path, "\n".join(["what,where", *rows])))
        assert list(table.frame["label"]) == PAIRS

    def test_are_taken_as_named(self, write: Write) -> None:
        frame = labelled(write, PAIRS).rename(columns={"path": "where", "label": "Was ist es"})
        frame["label"] = "something else"
        table = read_table(frame, path_column="where", label_column="was ist es")
        assert list(table.frame["label"]) == PAIRS

    @pytest.mark.parametrize(
        ("columns", "options", "words"),
        [
            (
                ["a", "b", "c"],
                {},
                "no column for the paths: the columns are 'a', 'b', 'c'; call it 'path'",
            ),
            (
                ["path", "b", "c"],
                {},
                "no column for the labels: the columns are 'path', 'b', 'c'; call it 'label'",
            ),
            (
                ["path", "file", "label"],
                {},
                "more than one column could hold the paths: 'path', 'file'; "
                "give all but the right one another name",
            ),
            (
                ["path", "label", "class"],
                {},
                "more than one column could hold the labels: 'label', 'class'; "
                "give all but the right one another name",
            ),
            (
                ["path", "label"],
                {"label_column": "breed"},
                "there is no column 'breed'; the columns are 'path', 'label'",
            ),
            (
                ["path", "label"],
                {"label_column": "path"},
                "column 'path' cannot hold both the paths and the labels",
            ),
            (["path", "path"], {}, "the DataFrame has two columns of the same name"),
        ],
    )
    def test_that_are_not_clear_are_refused(
        self, columns: list[str], options: dict[str, Any], words: str
    ) -> None:
        frame = pd.DataFrame([["x"] * len(columns)], columns=columns)
        with pytest.raises(TableError, match=f"^{words}"):
            read_table(frame, **options)


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"\xef\xbb\xbf \r\n", "is empty"),
            (b"path,label\n", "has no rows"),
            (b"sep=;\r\n", "is empty"),
            (b"sep=;\r\npath;label\r\n", "has no rows"),
            (b"PK\x03\x04rest", "is a spreadsheet or an archive; save it as CSV"),
            ("path,label\ngrün.jpg,cat\n".encode("latin-1"), "not a CSV file in UTF-8 .byte 13"),
            ("path,label\na.jpg,cat\n".encode("utf-16"), "save it as 'CSV UTF-8'"),
            (b"path,label\n\0\0\0", "is not a CSV file: it holds zero bytes"),
            (b'path,label\n"' + b"x" * 200_000, "is not a CSV file: field larger"),
            (b"a.jpg,cat\nb.jpg,dog\n", "has no header: its first row is already a picture"),
            (b"path,label\na.jpg,cat\nb, b.jpg,cat\n", "row 2 has 3 columns and the header 2"),
        ],
    )
    def test_that_are_no_tables_are_refused(
        self, tmp_path: Path, content: bytes, words: str
    ) -> None:
        path = tmp_path / "labels.csv"
        path.write_bytes(content)
        with pytest.raises(TableError, match=words) as caught:
            read_table(path)
        assert str(path) in str(caught.value)

    def test_that_are_missing_or_folders_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match=r"none\.csv does not exist"):
            read_table(tmp_path / "none.csv")
        with pytest.raises(TableError, match="is a folder, not a CSV file"):
            read_table(tmp_path)
        with pytest.raises(TableError, match="pictures is not a folder"):
            read_table(csv(tmp_path, "path,label\na,b"), tmp_path / "pictures")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    @pytest.mark.parametrize("named", [False, True])
    def test_as_spreadsheets_write_them_are_read(
        self, tmp_path: Path, write: Write, delimiter: str, encoding: str, named: bool
    ) -> None:
        rows = [
            f'"{write(f"Kätzchen, {i}.png", i).name}"{delimiter}{label}{delimiter}'
            for i, label in enumerate(PAIRS)
        ]
        header = ["path", "label", '"of whom, if known, or; where, when"']
        text = "\r\n".join([delimiter.join(header), *rows[:2], "", *rows[2:], ""])
        text = f"sep={delimiter}\r\n{text}" if named else text
        table = read_table(csv(tmp_path, text, encoding))
        assert list(table.frame["label"]) == PAIRS

    def test_relative_paths_start_from_the_images_or_else_from_the_csv(
        self, tmp_path: Path, write: Write
    ) -> None:
        for number in range(4):
            write(f"here/{number}.png", number)
        text = "path,label\n" + "".join(f"{i}.png,{label}\n" for i, label in enumerate(PAIRS))
        assert len(read_table(csv(tmp_path / "here", text)).frame) == 4
        table = read_table(csv(tmp_path, text), tmp_path / "here")
        assert table.frame["path"][0] == str(tmp_path / "here/0.png")
        with pytest.raises(TableError, match=r"nothing here can be used:\n4 × missing file"):
            read_table(csv(tmp_path, text))


class TestLabels:
    @pytest.mark.parametrize(
        ("written", "label"),
        [(" Cat", "cat"), ("DOG ", "dog"), ("Maine\u00a0 Coon", "maine coon"), ("E\u0301", "é")],
    )
    def test_have_one_spelling(self, written: str, label: str) -> None:
        assert normalise_label(written) == label

    @pytest.mark.parametrize("missing", ["", "  ", "NaN", "null", "None", "N/A", "<NA>", None])
    def test_that_are_missing_are_named(self, write: Write, missing: str | None) -> None:
        frame = labelled(write, [*PAIRS, "x"])
        frame["label"] = [*PAIRS, missing]
        table = read_table(frame)
        assert codes(table) == {5: "missing-label"}
        assert table.classes == ("cat", "dog")

    def test_that_are_named_are_not_missing(self, write: Write) -> None:
        table = read_table(labelled(write, ["cat", "cat", "none", "None"]), classes=["cat", "none"])
        assert table.classes == ("cat", "none")

    def test_may_be_numbers_with_holes(self, write: Write) -> None:
        frame = labelled(write, ["0", "0", "1", "1", "1"]).assign(label=[0, 0, 1, 1, float("nan")])
        table = read_table(frame)
        assert table.classes == ("0", "1")
        assert codes(table) == {5: "missing-label"}

    def test_of_many_small_classes_are_all_kept(self, write: Write) -> None:
        labels = [f"class {number % 20}" for number in range(40)]
        assert len(read_table(labelled(write, labels)).classes) == 20

    def test_with_one_picture_are_no_class(self, write: Write) -> None:
        table = read_table(labelled(write, [*PAIRS, "bird"]))
        assert table.classes == ("cat", "dog")
        assert [str(problem) for problem in table.problems] == [
            f"row 5, {table.problems[0].path}: 'bird' has one usable picture; a class needs 2"
        ]

    def test_with_one_usable_picture_are_no_class_even_if_named(
        self, tmp_path: Path, write: Write
    ) -> None:
        frame = labelled(write, [*PAIRS, "bird", "bird"])
        (tmp_path / "5.png").write_bytes(b"")
        table = read_table(frame, classes=["bird", "cat", "dog"])
        assert codes(table) == {5: "rare-label", 6: "not-an-image"}

    def test_with_one_picture_are_enough_to_measure_with(self, write: Write) -> None:
        assert len(read_table(labelled(write, ["cat", "dog"]), min_per_class=1).frame) == 2

    @pytest.mark.parametrize(("birds", "kept"), [(3, False), (4, True)])
    def test_are_classes_from_a_fiftieth_of_the_commonest(
        self, tmp_path: Path, birds: int, kept: bool
    ) -> None:
        names = [f"{number}.png" for number in range(200 + birds)]
        for name in names:
            (tmp_path / name).touch()
        frame = pd.DataFrame({"path": names, "label": ["cat"] * 200 + ["Bird"] * birds})
        table = read_table(frame, tmp_path, check_images=False)
        assert ("bird" in table.classes) is kept
        named = read_table(frame, tmp_path, check_images=False, classes=["cat", "bird"])
        assert named.classes == ("bird", "cat")

    def test_of_which_none_is_a_named_class_are_refused_before_any_file_is_opened(
        self, write: Write
    ) -> None:
        words = "no row has any of the classes cats, dogs; the labels are cat, dog"
        with pytest.raises(TableError, match=words):
            read_table(
                labelled(write, PAIRS),
                classes=["dogs", "cats"],
                progress=lambda *_: pytest.fail("opened"),
            )


class TestPictures:
    def test_given_twice_count_once(self, tmp_path: Path, write: Write) -> None:
        frame = labelled(write, PAIRS)
        again = pd.DataFrame({"path": [str(tmp_path / "x/../0.png")], "label": ["Cat "]})
        table = read_table(pd.concat([frame, again]))
        assert codes(table) == {5: "repeated-row"}
        assert len(table.frame) == 4

    def test_under_two_names_count_once(self, tmp_path: Path, write: Write) -> None:
        frame = labelled(write, [*PAIRS, "dog"])
        (tmp_path / "4.png").write_bytes((tmp_path / "3.png").read_bytes())
        table = read_table(frame)
        assert codes(table) == {5: "same-picture"}
        assert table.problems[0].reason == f"the same picture as row 4, {tmp_path / '3.png'}"

    def test_with_two_labels_are_left_out_under_all_their_names(
        self, tmp_path: Path, write: Write
    ) -> None:
        frame = labelled(write, [*PAIRS, "cat", "cat"])
        (tmp_path / "5.png").write_bytes((tmp_path / "3.png").read_bytes())
        again = pd.DataFrame({"path": [str(tmp_path / "3.png")], "label": ["dog"]})
        more = pd.DataFrame({"path": [str(write("6.png", 6))], "label": ["dog"]})
        table = read_table(pd.concat([frame, again, more]))
        assert codes(table) == dict.fromkeys((4, 6, 7), "contradicting-labels")
        assert table.problems[1].reason.endswith(
            f"and 'dog' in row 4, {tmp_path / '3.png'}, 'dog' in row 7, {tmp_path / '3.png'}"
        )

    def test_given_for_training_and_testing_are_for_testing(self, write: Write) -> None:
        frame = labelled(write, PAIRS).assign(split="train")
        table = read_table(pd.concat([frame, frame[:1].assign(split="test")]))
        assert codes(table) == {1: "repeated-row"}
        assert list(table.frame["split"]) == ["train", "train", "train", "test"]

    @pytest.mark.parametrize(
        "name", [".DS_Store", "Thumbs.db", "._0.png", ".hidden.png", "__MACOSX/0.png"]
    )
    def test_are_not_what_systems_leave_about(
        self, tmp_path: Path, write: Write, name: str
    ) -> None:
        frame = labelled(write, [*PAIRS, "cat"])
        frame.loc[4, "path"] = name
        assert codes(read_table(frame, tmp_path)) == {5: "stray-file"}

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("", "missing-path"),
            ("absent.png", "missing-file"),
            (".", "missing-file"),
            ("x" * 5000, "missing-file"),
            ("text.png", "not-an-image"),
            ("cut.jpg", "truncated"),
            ("drawing.svg", "unsupported-format"),
        ],
    )
    def test_that_cannot_be_opened_are_named(
        self, tmp_path: Path, write: Write, path: str, code: str
    ) -> None:
        (tmp_path / "text.png").write_text("no picture")
        (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        whole = write("whole.jpg", 9).read_bytes()
        (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
        frame = labelled(write, [*PAIRS, "cat"])
        frame.loc[4, "path"] = path
        assert codes(read_table(frame, tmp_path)) == {5: code}

    def test_unreadable_ones_of_equal_bytes_do_not_contradict_each_other(
        self, tmp_path: Path, write: Write
    ) -> None:
        frame = labelled(write, [*PAIRS, "cat", "dog"])
        for name in ("4.png", "5.png"):
            (tmp_path / name).write_bytes(b"")
        assert codes(read_table(frame)) == {5: "not-an-image", 6: "not-an-image"}

    def test_are_counted_while_they_are_checked(self, write: Write) -> None:
        calls: list[tuple[int, int]] = []
        read_table(labelled(write, PAIRS), progress=lambda done, of: calls.append((done, of)))
        assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


class TestSplitAndGroupColumns:
    def test_are_kept_and_splits_spelt_one_way(self, write: Write) -> None:
        frame = labelled(write, PAIRS)
        frame["Split"] = ["Training", "val", "dev ", "TEST"]
        frame["group"] = ["litter 1", "litter 1", None, ""]
        table = read_table(frame)
        assert list(table.frame["split"]) == ["train", "validation", "validation", "test"]
        assert list(table.frame["group"]) == ["litter 1", "litter 1", "", ""]
        assert "splits: test 1, train 1, validation 2" in table.summary()

    def test_name_an_unknown_split(self, write: Write) -> None:
        frame = labelled(write, [*PAIRS, "cat"]).assign(split=["train"] * 4 + ["holdout"])
        table = read_table(frame)
        assert codes(table) == {5: "unknown-split"}
        assert table.problems[0].reason == "the split is 'holdout'"
