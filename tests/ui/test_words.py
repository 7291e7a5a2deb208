from __future__ import annotations

import csv
import io
import json

import pytest

from pawsight.ui.service import Answer, ModelReference
from pawsight.ui.words import (
    Outcome,
    as_csv,
    as_json,
    percent,
    plain,
    question,
    remark,
    right,
    said,
    sentence,
    summary,
    verdict,
    with_article,
)

TINY = ModelReference(name="tiny", version="0123456789ab", source="local")


def answer(label: str, **probabilities: float) -> Answer:
    return Answer(
        id="1",
        label=label,
        confidence=max(probabilities.values()),
        probabilities=probabilities,
        score=1.0,
        model=TINY,
        decided_by=TINY,
    )


CAT = answer("cat", cat=0.93, dog=0.07)
NEITHER = answer("neither", cat=0.4, dog=0.6)


def test_an_answer_is_a_sentence() -> None:
    assert sentence(CAT) == "This is a cat."
    assert remark(CAT) == "93% sure"
    assert sentence(answer("owl", owl=0.9, fox=0.1)) == "This is an owl."


def test_neither_is_said_gently() -> None:
    assert sentence(NEITHER) == "Neither a cat nor a dog."
    assert remark(NEITHER) == "Nothing that this model knows. The closest would be a dog."
    three = answer("neither", owl=0.2, fox=0.5, newt=0.3)
    assert sentence(three) == "Neither an owl, a fox nor a newt."
    many = answer("neither", **{f"breed {number}": 1 / 120 for number in range(120)})
    assert sentence(many) == "None of the 120 kinds that this model knows."


def test_what_several_models_say_is_one_sentence() -> None:
    def by(name: str, said: Answer) -> Answer:
        return said.model_copy(update={"model": TINY.model_copy(update={"name": name})})

    assert verdict([by("a", CAT), by("b", CAT)]) == "Both models say a cat."
    three = [by("a", CAT), by("b", NEITHER), by("c", CAT)]
    assert verdict(three) == "They disagree: a and c say a cat, b says neither."
    assert verdict([by(name, NEITHER) for name in "abcd"]) == "All 4 models say neither."
    assert verdict([by("a", CAT)]) == "a says a cat."


def test_only_models_that_know_the_same_labels_agree_or_disagree() -> None:
    def by(name: str, said: Answer) -> Answer:
        return said.model_copy(update={"model": TINY.model_copy(update={"name": name})})

    wolf, lion = answer("wolf", wolf=0.8, lion=0.2), answer("lion", lion=0.9, wolf=0.1)
    assert verdict([by("wild", wolf), by("a", CAT), by("b", CAT)]) == (
        "a and b say a cat. wild says a wolf."
    )
    assert verdict([by("a", CAT), by("b", NEITHER), by("wild", wolf)]) == (
        "a and b disagree: a says a cat, b says neither. wild says a wolf."
    )
    assert verdict([by("a", CAT), by("wild", wolf)]) == "a says a cat. wild says a wolf."
    assert verdict([by("wild", wolf), by("c", lion)]) == (
        "They disagree: wild says a wolf, c says a lion."
    )


def test_no_percentage_stands_beside_neither() -> None:
    assert said(CAT) == "a cat, 93% sure"
    assert said(NEITHER) == "neither: nothing that it knows"


def test_of_few_pictures_the_number_is_said_and_of_many_the_share() -> None:
    assert right(1.0, 2) == "2 of 2"
    assert right(0.9, 20) == "18 of 20"
    assert right(0.914, 100) == "91% of 100"
    assert right(0.9991, 2500) == "over 99% of 2,500"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("cat", "dog"), "Cat, dog or neither?"),
        ((), "What is in the picture?"),
        (tuple("abcdefgh"), "What is in the picture?"),
    ],
)
def test_the_question_comes_from_the_labels(labels: tuple[str, ...], expected: str) -> None:
    assert question(labels) == expected


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.5, "50%"), (0.994, "99%"), (0.9999, "over 99%"), (1.0, "over 99%"), (0.0, "under 1%")],
)
def test_nothing_is_certain(share: float, words: str) -> None:
    assert percent(share) == words


def test_an_empty_label_has_an_article() -> None:
    assert with_article("") == "a "


OUTCOMES = [
    Outcome("tom.jpg", CAT),
    Outcome('odd, "name".png', NEITHER),
    Outcome("half.jpg", error="Truncated: the JPEG ends before its picture does."),
]


def test_a_summary_counts() -> None:
    assert summary(OUTCOMES) == "3 pictures: cat 1, neither 1, no answer 1"
    assert summary(OUTCOMES[:1]) == "1 picture: cat 1"


def test_the_csv_has_a_row_for_each_picture() -> None:
    first, second, third = csv.DictReader(io.StringIO(as_csv(OUTCOMES)))
    assert first == {
        "file": "tom.jpg",
        "label": "cat",
        "confidence": "0.93",
        "p_cat": "0.93",
        "p_dog": "0.07",
        "model": "tiny",
        "version": "0123456789ab",
        "decided_by": "tiny",
        "decided_by_version": "0123456789ab",
        "error": "",
    }
    assert (second["file"], second["label"]) == ('odd, "name".png', "neither")
    assert third["label"] == third["p_cat"] == ""
    assert third["error"].startswith("Truncated")


def test_the_json_has_an_object_for_each_picture() -> None:
    first, _, third = json.loads(as_json(OUTCOMES))
    assert first == {"file": "tom.jpg", **CAT.model_dump()}
    assert third == {"file": "half.jpg", "error": OUTCOMES[2].error}


def test_an_address_puts_no_links_or_pictures_into_the_page() -> None:
    assert plain("my-model_2.1") == "my-model_2.1"
    assert plain("![x](https://evil.example/y.png)") == "…x…https…evil.example…y.png…"
    assert len(plain("x" * 1000)) == 64
