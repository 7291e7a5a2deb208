from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.ui.asking import ask_all
from pawsight.ui.pictures import EXAMPLES, Picture
from pawsight.ui.service import Unavailable
from pawsight.ui.words import Outcome

EXAMPLES_OF_THE_REPOSITORY = Path(__file__).parents[2] / "examples"


def test_what_was_answered_before_the_service_went_is_told_of() -> None:
    pictures = [Picture(str(number), f"{number}.jpg", Path()) for number in range(50)]
    told: list[Picture] = []

    def ask_one(picture: Picture) -> Outcome:
        if int(picture.key) >= 20:
            raise Unavailable("it does not answer", "gone")
        return Outcome(picture.name)

    with pytest.raises(
        Unavailable, match=r"It does not answer. It had answered \d+ of 50"
    ) as error:
        ask_all(ask_one, pictures, lambda picture, _: told.append(picture))
    assert error.value.code == "gone"
    assert f"answered {len(told)} of" in str(error.value)
    assert {int(each.key) for each in told} <= set(range(20))


def test_the_page_has_the_examples_of_the_repository() -> None:
    there = {each.name: each.read_bytes() for each in EXAMPLES_OF_THE_REPOSITORY.glob("*.jpg")}
    assert {each.name: each.read() for each in EXAMPLES} == there
    sources = (EXAMPLES_OF_THE_REPOSITORY / "SOURCES.md").read_text(encoding="utf-8")
    for each in EXAMPLES:
        assert each.credit.split(" by ")[1].removesuffix(" (CC0)") in sources
