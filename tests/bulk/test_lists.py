from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from pawsight.bulk.rows import reason
from pawsight.bulk.sources import find_items
from pawsight.images.errors import ImageError

PATHS = ["a.jpg", "deep/b c.png", "ü.webp"]


def names(*sources: Path) -> list[str]:
    return [each.name for each in find_items([str(source) for source in sources])]


def test_text_has_a_path_a_line(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes("\ufeffa.jpg\r\ndeep/b c.png\n\nü.webp".encode())
    assert names(file) == PATHS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_list_as_windows_saves_it_is_read_as_its_mark_says(tmp_path: Path, encoding: str) -> None:
    text, table = tmp_path / "list.txt", tmp_path / "list.csv"
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    text.write_bytes((mark + "\r\n".join(["# Übersicht", *PATHS])).encode(encoding))
    table.write_bytes((mark + "\r\n".join(["path,label", *PATHS, ""])).encode(encoding))
    assert names(text, table) == PATHS * 2


def test_a_list_that_is_no_text_is_one_record(tmp_path: Path) -> None:
    bare, cut, endless = (tmp_path / name for name in ("bare.txt", "cut.txt", "endless.csv"))
    bare.write_bytes("\n".join(PATHS).encode("utf-16-le"))
    cut.write_bytes("a.jpg\nb.jpg".encode("utf-16")[:-1])
    endless.write_text('path\n"' + "x" * 200_000)
    found = list(find_items([str(bare), str(cut), str(endless)]))
    assert [each.name for each in found] == [str(bare), "a.jpg", str(cut), str(endless)]
    for each, words in zip(
        (found[0], found[2], found[3]),
        ("UTF-16 without its mark .* save it as UTF-8", "begins as utf-16-le, and", "field larger"),
        strict=True,
    ):
        with pytest.raises(OSError, match=words):
            each.read()


def test_relative_paths_start_here_wherever_the_list_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "lists").mkdir()
    file = tmp_path / "lists" / "list.txt"
    file.write_text("a.jpg\n")
    (tmp_path / "a.jpg").write_bytes(b"here")
    (tmp_path / "lists" / "a.jpg").write_bytes(b"there")
    monkeypatch.chdir(tmp_path)
    found = list(find_items(["lists/list.txt", file.as_uri()]))
    assert [(each.name, each.read()) for each in found] == [("a.jpg", b"here")] * 2


def test_comments_and_blank_lines_of_a_text_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(
        "# the summer of 2024\na.jpg\n   \n  # deep/old.png\n./#1.jpg\nü#2.webp\n",
        encoding="utf-8",
    )
    assert names(file) == ["a.jpg", "#1.jpg", "ü#2.webp"]


def test_blanks_around_a_path_are_no_part_of_it_unless_a_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / " led.jpg").touch()
    (tmp_path / "list.txt").write_text("  a.jpg\t\nb c.jpg \r\n led.jpg\n\t \n")
    (tmp_path / "list.csv").write_text("path,label\n a.jpg,cat\n")
    assert names(tmp_path / "list.txt") == ["a.jpg", "b c.jpg", " led.jpg"]
    assert names(tmp_path / "list.csv") == ["a.jpg"]


def test_a_table_has_no_comments(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\n#1.jpg\n\n")
    assert names(tmp_path / "list.csv") == ["#1.jpg"]


@pytest.mark.parametrize("column", ["path", "Image_Name"])
def test_a_table_has_a_column_of_paths(tmp_path: Path, column: str) -> None:
    (tmp_path / "list.csv").write_text(
        f"{column},label\n" + "".join(f'"{path}",cat\n' for path in PATHS), encoding="utf-8"
    )
    parquet.write_table(
        pyarrow.table({column: PATHS, "label": ["cat"] * 3}), tmp_path / "list.parquet"
    )
    assert names(tmp_path / "list.csv", tmp_path / "list.parquet") == PATHS * 2


@pytest.mark.parametrize(
    ("name", "between"), [("list.csv", ";"), ("list.csv", "\t"), ("list.tsv", "\t")]
)
def test_a_table_may_have_what_spreadsheets_put_between_columns(
    tmp_path: Path, name: str, between: str
) -> None:
    rows = [["label, if known", "path"], *(["cat", path] for path in PATHS)]
    (tmp_path / name).write_text("\n".join(map(between.join, rows)), encoding="utf-8")
    assert names(tmp_path / name) == PATHS


@pytest.mark.parametrize("mark", ["sep=|", '"sep=|"', "SEP=|"])
def test_a_table_may_say_first_what_parts_its_columns(tmp_path: Path, mark: str) -> None:
    text = "\r\n".join([mark, "label|path", *(f"cat|{path}" for path in PATHS)])
    (tmp_path / "list.csv").write_text(text, encoding="utf-8", newline="")
    assert names(tmp_path / "list.csv") == PATHS


def test_a_column_of_paths_alone_may_have_names_with_separators(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\na;b.jpg\n")
    assert names(tmp_path / "list.csv") == ["a;b.jpg"]


def test_a_column_of_addresses_is_taken_where_there_is_none_of_paths(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("id,URL\n1,https://a.example/cat.jpg\n")
    assert names(tmp_path / "list.csv") == ["https://a.example/cat.jpg"]
    (tmp_path / "list.tsv").write_text("url\tnote, with comma\nhttps://a.example/cat.jpg\tx\n")
    assert names(tmp_path / "list.tsv") == ["https://a.example/cat.jpg"]
    (tmp_path / "both.csv").write_text("url,path\nhttps://a.example/cat.jpg,dog.jpg\n")
    assert names(tmp_path / "both.csv") == ["dog.jpg"]


def test_a_list_without_paths_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name,label\na.jpg,cat\n")
    (tmp_path / "list.parquet").write_text("no parquet")
    first, second = find_items([str(tmp_path / "list.csv"), str(tmp_path / "list.parquet")])
    with pytest.raises(OSError, match=r"no column of paths.*; its columns: name, label"):
        first.read()
    with pytest.raises(OSError, match="the list is broken"):
        second.read()


def test_a_header_that_is_no_utf8_is_said_as_any_encoding_takes_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"datei;gr\xf6\xdfe\ncat.jpg;1\n")
    (only,) = find_items([str(tmp_path / "list.csv")])
    with pytest.raises(OSError, match="no column of paths") as raised:
        only.read()
    assert reason(raised.value).endswith(r"its columns: datei, gr\xf6\xdfe")


@pytest.mark.parametrize("error", [OSError(5, "of \udcff"), ImageError("of \ud800")])
def test_words_of_an_error_are_text_that_any_encoding_takes(error: OSError | ImageError) -> None:
    assert reason(error).encode().endswith((rb"of \udcff", rb"of \ud800"))


def test_a_line_that_is_no_path_is_a_record_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"a.jpg\nx\0y.jpg\nb.jpg\n")
    first, wrong, last = find_items([str(file)])
    assert [first.name, last.name] == ["a.jpg", "b.jpg"]
    with pytest.raises(OSError, match="NUL"):
        wrong.read()


def test_a_parquet_list_holds_text_or_says_that_it_does_not(tmp_path: Path) -> None:
    encoded = [path.encode() for path in PATHS]
    parquet.write_table(pyarrow.table({"path": encoded}), tmp_path / "bytes.parquet")
    parquet.write_table(pyarrow.table({"path": [1, 2]}), tmp_path / "numbers.parquet")
    parquet.write_table(pyarrow.table({"path": [["a.jpg"]]}), tmp_path / "lists.parquet")
    assert names(tmp_path / "bytes.parquet") == PATHS
    for file, kind in (("numbers.parquet", "int64"), ("lists.parquet", "list")):
        (only,) = find_items([str(tmp_path / file)])
        with pytest.raises(OSError, match=f"broken: its column 'path' holds no text, but {kind}"):
            only.read()
