"""What goes out as a ZIP: corrections, and files to be trained on."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timezone

import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from pawsight.ui.export import as_zip, to_train
from pawsight.ui.packing import NoTable, packed
from pawsight.ui.service import RecordedAnswer, Said
from tests.pictures import picture
from tests.ui.test_words import CAT

PETS = ("cat", "dog")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def decided(
    id_: str, label: str, *, digest: str = "", kept: bool = True, classes: tuple[str, ...] = PETS
) -> RecordedAnswer:
    said = Said(id=id_, label=label, time=NOW, picture=kept)
    recorded = {"time": NOW, "digest": digest or id_ * 64, "milliseconds": 1.0, "margin": 0.5}
    answer = {**CAT.model_dump(), **recorded, "id": id_, "picture": kept, "feedback": said}
    answer["probabilities"] = dict.fromkeys(classes, 0.5)
    return RecordedAnswer.model_validate(answer)


def test_corrections_are_a_table_and_the_pictures_it_names() -> None:
    answers = [
        decided("a", "dog"),
        decided("b", "cat", digest="a" * 64),  # said earlier of the same picture
        decided("c", "wrong"),
        decided("d", "cat", kept=False),
        decided("e", "neither"),
    ]
    pictures = {"a": picture("red"), "e": picture("black", "PNG")}
    data, left_out = as_zip(to_train(answers, PETS), pictures.__getitem__)
    assert left_out == 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
        assert [each["label"] for each in rows] == ["dog", "neither"]
        assert [each["path"].split(".")[1] for each in rows] == ["jpg", "png"]
        assert [archive.read(each["path"]) for each in rows] == [*pictures.values()]


def test_what_is_too_much_for_the_page_is_left_out_and_said() -> None:
    answers = [decided(each, "dog") for each in "abcd"]
    asked = []

    def kept(id_: str) -> bytes:
        asked.append(id_)
        return bytes(400)

    data, left_out = as_zip(to_train(answers, PETS), kept, most=1000)
    assert asked == ["a", "b"]  # no more are even fetched
    assert left_out == 2
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))) == 2
        assert archive.read("left-out.txt").startswith(b"2 pictures more would be too large")
        assert b"`pawsight feedback export`" in archive.read("left-out.txt")
    data, left_out = as_zip(to_train(answers, PETS), kept, most=1600)
    assert left_out == 0
    assert "left-out.txt" not in names(data)


def test_a_picture_that_does_not_fit_keeps_out_none_that_does() -> None:
    answers = [decided(each, "dog") for each in "abcd"]
    sizes = {"a": 400, "b": 900, "c": 300, "d": 300}
    data, left_out = as_zip(to_train(answers, PETS), lambda id_: bytes(sizes[id_]), most=1000)
    assert left_out == 1
    found = [each for each in names(data) if each.startswith("pictures/")]
    assert found == [f"pictures/{each * 16}.bin" for each in "acd"]


def test_what_was_said_of_other_models_teaches_only_those_that_know_the_word() -> None:
    wild, more = ("lion", "wolf"), ("cat", "dog", "lion")
    answers = [
        decided("a", "neither", classes=wild),
        decided("b", "cat", digest="a" * 64),
        decided("c", "lion", classes=wild),
        decided("d", "neither", classes=more),
    ]
    assert [(each.id, label) for each, label in to_train(answers, PETS)] == [
        ("b", "cat"),
        ("d", "neither"),
    ]
    assert [(each.id, label) for each, label in to_train(answers, wild)] == [
        ("a", "neither"),
        ("c", "lion"),
    ]


def uploaded(name: str, data: bytes = b"x") -> UploadedFile:
    return UploadedFile(UploadedFileRec(name, name, "image/jpeg", data), FileURLs())


def names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


def test_a_folder_is_packed_from_where_its_labels_begin() -> None:
    album = packed([uploaded("album/cat/1.jpg"), uploaded("album/dog/1.jpg")])
    assert names(album) == ["cat/1.jpg", "dog/1.jpg"]
    assert names(packed([uploaded("cat/1.jpg"), uploaded("dog/1.jpg")])) == [
        "cat/1.jpg",
        "dog/1.jpg",
    ]
    table = packed([uploaded("a.jpg"), uploaded("labels.csv", b"path,label\na.jpg,cat\n")])
    assert names(table) == ["a.jpg", "labels.csv"]


def test_pictures_without_labels_are_not_sent() -> None:
    with pytest.raises(NoTable, match="there is no CSV among the 2 files"):
        packed([uploaded("a.jpg"), uploaded("b.jpg")])
    with pytest.raises(NoTable, match="there are 2 CSV files among the 3"):
        packed([uploaded("a.jpg"), uploaded("a.csv"), uploaded("b.csv")])
