"""What is recorded, said of it, and kept; on each database."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import ColumnElement, Connection

from pawsight.records import recorder as recorder_module
from pawsight.records import waiting
from pawsight.records.keeping import Bounds, Status
from pawsight.records.pictures import digest_of
from pawsight.records.place import Place
from pawsight.records.record import (
    Feedback,
    OtherPicture,
    Recorded,
    Said,
    UnknownLabel,
    UnknownRecord,
    margin,
)
from pawsight.records.recorder import Recorder
from pawsight.records.store import count, everything_said, recorded_of
from tests.pictures import picture
from tests.records.answers import PATIENCE, put, record, settle


def say(
    recorder: Recorder, id_: str, label: str, comment: str | None = None, file: bytes | None = None
) -> Feedback:
    digest = digest_of(file) if file is not None else None
    return recorder.say(Said(id_, label, comment, digest), file).result(PATIENCE)


def test_what_was_answered_is_what_is_read(recorder: Recorder) -> None:
    given = record(cat=0.3, label="neither", score=-1.25)
    put(recorder, given)
    read = recorder.answer(given.id)
    assert (read.id, read.time, read.digest) == (given.id, given.time, given.digest)
    assert read.prediction == given.prediction
    assert read.prediction.rejected
    assert (read.seconds, read.feedback) == (given.seconds, None)
    assert recorder.status == Status("written", None, 0, 0)


def test_many_are_all_written_and_those_put_last_when_it_is_closed(
    recording: Callable[..., Recorder],
) -> None:
    first = recording()
    given = [record(bytes([n % 256])) for n in range(1234)]
    for each in given:
        first.put(each)
    first.close()
    again = recording()
    settle(again)
    assert again.read(count) == len(given)
    assert again.answer(given[-1].id).prediction == given[-1].prediction


def test_an_answer_that_was_never_given_is_unknown(recorder: Recorder) -> None:
    settle(recorder)
    with pytest.raises(UnknownRecord):
        recorder.answer("0" * 32)
    with pytest.raises(UnknownRecord):
        say(recorder, "0" * 32, "cat")


def test_feedback_follows_an_answer_at_once(recorder: Recorder) -> None:
    given = record()
    recorder.put(given)  # and does not wait until it is written
    said = say(recorder, given.id, "dog", "mine")
    assert (said.label, said.comment, said.replaced) == ("dog", "mine", None)
    assert recorder.answer(given.id).feedback == said


def test_the_same_feedback_again_is_the_same_and_another_replaces(recorder: Recorder) -> None:
    given = record()
    put(recorder, given)
    first = say(recorder, given.id, "dog")
    assert say(recorder, given.id, "dog") == first
    second = say(recorder, given.id, "neither", "a wolf")
    assert (second.replaced, second.comment) == ("dog", "a wolf")
    assert say(recorder, given.id, "neither", "a wolf") == second
    commented = say(recorder, given.id, "neither", "no, a fox")
    assert (commented.label, commented.replaced) == ("neither", "dog")
    assert recorder.answer(given.id).feedback == commented


def test_a_label_that_the_model_does_not_know_is_refused_and_changes_nothing(
    recorder: Recorder,
) -> None:
    given = record()
    put(recorder, given)
    with pytest.raises(UnknownLabel, match="cat, dog, neither, wrong"):
        say(recorder, given.id, "wolf")
    assert recorder.answer(given.id).feedback is None


def test_a_picture_is_kept_with_feedback_if_it_is_the_one(recorder: Recorder) -> None:
    file = picture("red", "PNG")
    given = record(file)
    put(recorder, given)
    assert recorder.pictures.find(given.digest) is None
    with pytest.raises(OtherPicture):
        say(recorder, given.id, "dog", file=picture("blue"))
    assert recorder.answer(given.id).feedback is None
    for _ in range(2):
        say(recorder, given.id, "dog", file=file)
    kept = recorder.pictures.find(given.digest)
    assert kept
    assert (kept.name, kept.read_bytes()) == (f"{given.digest}.png", file)
    assert [each for each in recorder.pictures.folder.rglob("*") if each.is_file()] == [kept]


def test_pictures_are_kept_with_every_answer_where_that_is_wanted(
    recording: Callable[..., Recorder],
) -> None:
    recorder = recording(all_pictures=True)
    files = [picture("red"), picture("blue")]
    put(recorder, *(record(each, keep=True) for each in files))
    found = [recorder.pictures.find(digest_of(each)) for each in files]
    assert [each and each.read_bytes() for each in found] == files


def test_old_answers_go_with_their_pictures_unless_something_was_said(
    recording: Callable[..., Recorder],
) -> None:
    old, said, new = picture("red"), picture("blue"), picture("green")
    first = recording(days=0, all_pictures=True)
    gone, stays = record(old, days_ago=91, keep=True), record(said, days_ago=91, keep=True)
    fresh = record(new, keep=True)
    put(first, gone, stays, fresh)
    say(first, stays.id, "cat")
    first.close()
    second = recording(days=90)
    settle(second)
    settle(second)  # it tidies after each round
    with pytest.raises(UnknownRecord):
        second.answer(gone.id)
    assert {second.answer(each.id).id for each in (stays, fresh)} == {stays.id, fresh.id}
    kept = [second.pictures.find(each.digest) is not None for each in (gone, stays, fresh)]
    assert kept == [False, True, True]


def test_a_picture_stays_while_another_answer_is_about_it(
    recording: Callable[..., Recorder],
) -> None:
    file = picture("red")
    first = recording(days=0)
    put(first, record(file, days_ago=91, keep=True), record(file, keep=True))
    first.close()
    second = recording(days=90)
    settle(second)
    settle(second)
    assert second.read(count) == 1
    assert second.pictures.find(digest_of(file))


def test_no_more_than_so_many_are_kept_the_latest(
    recording: Callable[..., Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_AT_ONCE", 4)  # more than one round
    first = recording(answers=0)
    given = [record(days_ago=n) for n in range(20)]
    put(first, *given)
    say(first, given[19].id, "cat")
    first.close()
    second = recording(days=0, answers=5)
    for _ in range(8):
        settle(second)
    there = [each.id for each in given if _is_there(second, each.id)]
    assert there == [each.id for each in [*given[:5], given[19]]]


def _is_there(recorder: Recorder, id_: str) -> bool:
    try:
        return recorder.answer(id_).id == id_
    except UnknownRecord:
        return False


def test_what_teaches_most_comes_first_and_each_picture_once(recorder: Recorder) -> None:
    sure, unsure, border = record(b"1", 0.99), record(b"2", 0.55), record(b"3", 0.9, score=4.0)
    fast = record(b"4", 0.99, model="fast")
    strong = record(b"4", 0.2, model="strong")
    done = record(b"5", 0.5)
    again = replace(record(b"2", 0.55), time=unsure.time)
    put(recorder, sure, unsure, border, fast, strong, done, again, record(b"1", 0.99))
    say(recorder, done.id, "cat")
    queue = recorder.to_review(10)
    assert [each.answers[0].digest for each in queue] == [
        each.digest for each in (fast, border, unsure, sure)
    ]
    assert [each.disagree for each in queue] == [True, False, False, False]
    assert {each.prediction.model.name for each in queue[0].answers} == {"fast", "strong"}
    assert [len(each.answers) for each in queue] == [2, 1, 1, 1]
    assert [each.answers[0].digest for each in recorder.to_review(1)] == [fast.digest]


def test_of_a_picture_that_was_sent_often_the_last_answers_alone_are_read(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = [record(b"1", 0.6, days_ago=number / 10) for number in range(30)]
    other = [record(b"1", 0.7, version="2", days_ago=number) for number in range(3)]
    put(recorder, *often[::-1], *other)
    read: list[str] = []

    def counted(connection: Connection, which: ColumnElement[bool]) -> list[Recorded]:
        rows = recorded_of(connection, which)
        read.extend(each.id for each in rows)
        return rows

    monkeypatch.setattr("pawsight.records.review.recorded_of", counted)
    [item] = recorder.to_review(10)
    assert [each.id for each in item.answers] == [often[0].id, other[0].id]
    assert len(read) == 2


def test_models_that_know_other_labels_do_not_disagree(recorder: Recorder) -> None:
    wild = ("lion", "wolf")
    assert recorder.to_review(10) == []  # nothing was answered yet
    unsure = record(b"1", 0.6)
    tame, other = record(b"2", 0.99), record(b"2", 0.98, model="wild", classes=wild)
    one, another = (
        record(b"3", part, model=f"wild-{part}", classes=order)
        for part, order in ((0.97, wild), (0.96, wild[::-1]))
    )
    put(recorder, unsure, tame, other, one, another)
    queue = recorder.to_review(10)
    assert [each.answers[0].digest for each in queue] == [
        each.digest for each in (one, unsure, tame)
    ]
    assert [each.disagree for each in queue] == [True, False, False]
    assert [each.answers[0].digest for each in recorder.to_review(1)] == [one.digest]


def test_what_models_of_some_classes_answered_is_listed_alone(recorder: Recorder) -> None:
    wild = ("lion", "wolf")
    tame, strong = record(b"1", 0.9), record(b"1", 0.2, model="strong")
    other, another = (record(each, 0.6, model="wild", classes=wild) for each in (b"1", b"2"))
    put(recorder, tame, strong, other, another, record(b"3", 0.7))
    [first, second] = recorder.to_review(10, ("dog", "cat"))
    assert {each.id for each in first.answers} == {tame.id, strong.id}
    assert (first.disagree, second.answers[0].digest) == (True, record(b"3").digest)
    assert [[each.id for each in item.answers] for item in recorder.to_review(9, wild)] == [
        [each.id] for each in sorted((other, another), key=lambda each: each.digest)
    ]
    assert recorder.to_review(10, ("cat", "dog", "lion")) == []


def test_feedback_about_any_answer_takes_the_picture_from_the_queue(recorder: Recorder) -> None:
    fast, strong = record(b"4", model="fast"), record(b"4", 0.2, model="strong")
    put(recorder, fast, strong)
    say(recorder, strong.id, "cat")
    assert recorder.to_review(10) == []


def test_what_was_said_last_of_a_picture_is_its_label(recorder: Recorder) -> None:
    one, two, other = record(b"1"), record(b"1", model="second"), record(b"2")
    put(recorder, one, two, other)
    for given, label in ((one, "cat"), (two, "dog"), (other, "wrong"), (one, "neither")):
        say(recorder, given.id, label)
    said = recorder.read(lambda c: list(everything_said(c)))
    assert {digest: label for digest, label, *_ in said} == {
        one.digest: "neither",
        other.digest: "wrong",
    }


def test_when_too_many_wait_further_ones_are_counted_as_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 3)
    told: list[tuple[int, int]] = []
    recorder = Recorder(place, tell=lambda *numbers: told.append(numbers))
    for _ in range(5):  # not started: nothing is written
        recorder.put(record())
    assert (recorder.status.waiting, recorder.status.lost) == (3, 2)
    recorder.start()
    settle(recorder)
    assert recorder.read(count) == 3
    recorder.close()
    assert told == [(0, 1), (0, 1), (3, 0)]


def test_when_too_many_bytes_wait_answers_are_recorded_without_their_pictures(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [picture("red"), picture("blue"), picture("green")]
    monkeypatch.setattr(waiting, "MOST_BYTES", len(files[0]) + len(files[1]))
    recorder = Recorder(place, Bounds(all_pictures=True))
    for each in files:
        recorder.put(record(each, keep=True))
    recorder.start()
    put(recorder, *(record(each, keep=True) for each in files[:1]))
    kept = [recorder.pictures.find(digest_of(each)) is not None for each in files]
    assert kept == [True, True, False]
    put(recorder, record(files[2], keep=True))  # there is room again
    assert recorder.pictures.find(digest_of(files[2]))
    assert recorder.read(count) == 5
    recorder.close()


@pytest.mark.parametrize(
    ("cat", "score", "threshold", "expected"),
    [
        (0.9, 50.0, 4.0, 0.8),  # surely one of them
        (0.5, 50.0, 4.0, 0.0),
        (1.0, 4.0, 4.0, 0.0),  # cat or neither, as likely
        (0.5, -50.0, 4.0, 1.0),  # surely neither
        (0.5, -1e9, 4.0, 1.0),
        (0.75, 0.0, -math.inf, 0.5),  # never neither
    ],
)
def test_the_margin_counts_neither_as_one_of_them(
    cat: float, score: float, threshold: float, expected: float
) -> None:
    found = margin({"cat": cat, "dog": 1 - cat}, score, threshold)
    assert found == pytest.approx(expected, abs=1e-9)
