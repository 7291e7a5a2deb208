"""Cats and dogs are found by name, whatever order a checkpoint has its classes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.models.class_groups import CATS, DOGS, IMAGENET_GROUPS, class_groups
from pawsight.models.errors import CheckpointError

IMAGENET = [
    line
    for line in (Path(__file__).parent / "imagenet_classes.txt").read_text().splitlines()
    if not line.startswith("#")
]
WANTED = {label: list(group) for label, group in IMAGENET_GROUPS.items()}


def first_synonym(name: str) -> str:
    return name.split(",")[0]


def test_the_names_are_imagenets_own() -> None:
    assert len(IMAGENET) == 1000
    assert tuple(map(first_synonym, IMAGENET[151:269])) == DOGS
    assert tuple(map(first_synonym, IMAGENET[281:286])) == CATS


@pytest.mark.parametrize(
    "spell",
    [str, first_synonym, lambda name: first_synonym(name).replace(" ", "_")],
    ids=["all synonyms", "the first one", "with underscores"],
)
@pytest.mark.parametrize("order", ["ImageNet's", "alphabetical", "backwards"])
def test_imagenets_cats_and_dogs_are_found_in_any_order(spell, order: str) -> None:  # type: ignore[no-untyped-def]
    numbers = list(range(1000))
    if order != "ImageNet's":
        numbers.sort(key=lambda number: IMAGENET[number], reverse=order == "backwards")
    found = class_groups({at: spell(IMAGENET[number]) for at, number in enumerate(numbers)})
    by_number = {label: sorted(numbers[at] for at in group) for label, group in found.items()}
    assert by_number == WANTED


def test_without_names_imagenets_order_is_taken() -> None:
    assert class_groups({number: f"LABEL_{number}" for number in range(1000)}) == WANTED


def test_other_names_in_imagenets_order_are_known_by_their_places() -> None:
    names = {number: first_synonym(name).upper() for number, name in enumerate(IMAGENET)}
    names |= {153: "MALTESE TERRIER", 268: "HAIRLESS (MEXICAN)", 474: "CARDIGAN"}
    assert class_groups(names) == WANTED


def test_other_names_in_another_order_are_not_guessed_at() -> None:
    names = {number: first_synonym(name) for number, name in enumerate(sorted(IMAGENET))}
    renamed = {at: name.replace("poodle", "Pudel") for at, name in names.items()}
    with pytest.raises(CheckpointError, match="only 115 of 118 dogs and 5 of 5 cats"):
        class_groups(renamed)
    with pytest.raises(CheckpointError, match="no class for cat and dog"):
        class_groups({at: name[:2] for at, name in names.items()})


def test_what_only_sounds_like_a_cat_or_a_dog_is_neither() -> None:
    names = [
        "cat", "dog", "neither cat nor dog", "not a dog", "cat and dog",
        "Madagascar cat, ring-tailed lemur", "hot dog", "prairie dogs",
        "African hunting dog, hyena dog", "bear cat, cat bear", "catalog", "hotdog", "dingo",
        "cougar, puma, catamount", "cardigan",
    ]  # fmt: skip
    assert class_groups(dict(enumerate(names))) == {"cat": [0], "dog": [1]}


def test_breeds_beside_cats_and_dogs_count_as_such() -> None:
    names = ["tabby, tabby cat", "Chihuahua", "Maltese dog, Maltese terrier", "teapot"]
    assert class_groups(dict(enumerate(names))) == {"cat": [0], "dog": [1, 2]}


def test_breeds_alone_are_refused_as_not_all_of_them_may_be_known() -> None:
    with pytest.raises(CheckpointError, match="no class for cat and dog"):
        class_groups(dict(enumerate(["Siamese", "Bengal", "beagle", "Akita"])))


def test_classes_that_are_no_cats_and_dogs_are_refused_and_named() -> None:
    with pytest.raises(CheckpointError, match="no class for dog; its classes are: cat, catalog"):
        class_groups({0: "cat", 1: "catalog"})
    many = {number: f"thing {number}" for number in range(30)}
    with pytest.raises(CheckpointError, match=r"no class for cat and dog; .*thing 11, …\."):
        class_groups(many)


def test_imagenet_21k_is_refused_as_its_classes_overlap() -> None:
    names = {number: f"thing {number}" for number in range(21841)}
    names |= {1: "cat, true cat", 2: "domestic cat", 3: "dog, domestic dog"}
    with pytest.raises(CheckpointError, match="21841 classes, which overlap"):
        class_groups(names)
