"""Which of a checkpoint's classes are cats and which are dogs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pawsight.models.errors import CheckpointError

IMAGENET_GROUPS: Final = {"cat": range(281, 286), "dog": range(151, 269)}
"""The classes of ImageNet-1k that are domestic cats and dogs, in ILSVRC 2012's order."""

CATS: Final = ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")
"""ImageNet-1k's names of domestic cats, 281 to 285."""

DOGS: Final = tuple(
    """
Chihuahua, Japanese spaniel, Maltese dog, Pekinese, Shih-Tzu, Blenheim spaniel, papillon, toy
terrier, Rhodesian ridgeback, Afghan hound, basset, beagle, bloodhound, bluetick, black-and-tan
coonhound, Walker hound, English foxhound, redbone, borzoi, Irish wolfhound, Italian greyhound,
whippet, Ibizan hound, Norwegian elkhound, otterhound, Saluki, Scottish deerhound, Weimaraner,
Staffordshire bullterrier, American Staffordshire terrier, Bedlington terrier, Border terrier,
Kerry blue terrier, Irish terrier, Norfolk terrier, Norwich terrier, Yorkshire terrier, wire-haired
fox terrier, Lakeland terrier, Sealyham terrier, Airedale, cairn, Australian terrier,
Dandie Dinmont, Boston bull, miniature schnauzer, giant schnauzer, standard schnauzer, Scotch
terrier, Tibetan terrier, silky terrier, soft-coated wheaten terrier, West Highland white
terrier, Lhasa, flat-coated retriever, curly-coated retriever, golden retriever, Labrador
retriever, Chesapeake Bay retriever, German short-haired pointer, vizsla, English setter, Irish
setter, Gordon setter, Brittany spaniel, clumber, English springer, Welsh springer spaniel,
cocker spaniel, Sussex spaniel, Irish water spaniel, kuvasz, schipperke, groenendael, malinois,
briard, kelpie, komondor, Old English sheepdog, Shetland sheepdog, collie, Border collie,
Bouvier des Flandres, Rottweiler, German shepherd, Doberman, miniature pinscher, Greater Swiss
Mountain dog, Bernese mountain dog, Appenzeller, EntleBucher, boxer, bull mastiff, Tibetan
mastiff, French bulldog, Great Dane, Saint Bernard, Eskimo dog, malamute, Siberian husky,
dalmatian, affenpinscher, basenji, pug, Leonberg, Newfoundland, Great Pyrenees, Samoyed,
Pomeranian, chow, keeshond, Brabancon griffon, Pembroke, Cardigan, toy poodle, miniature poodle,
standard poodle, Mexican hairless
""".replace("\n", " ")
    .strip()
    .split(", ")
)
"""ImageNet-1k's names of dogs, 151 to 268: the first synonym of each class."""

_NAMES: Final = {"cat": CATS, "dog": DOGS}
_SIGNS: Final = {281: "tabby", 151: "chihuahua", 268: "hairless"}
_OTHER_ANIMALS: Final = {
    "cat": "bear big channel civet fishing jungle leopard madagascar native pallas palm "
    "pallas's pampas sand wild",
    "dog": "african-hunting bush cape-hunting chili corn hot hyena prairie raccoon wild",
}
"""What stands before ``cat`` or ``dog`` in names of what is neither; lemurs and sausages, say."""
_JOINING: Final = frozenset(["and", "no", "non", "none", "nor", "not", "or", "neither", "without"])
"""Words with which a name means more than one animal, or none: ``neither cat nor dog``."""


def class_groups(names: Mapping[int, str]) -> dict[str, list[int]]:
    """Find which of a checkpoint's classes are cats and which are dogs, by their names.

    A name is a list of synonyms with commas between them, as in ImageNet. A class is a cat or a dog
    if a synonym ends in that word or is one of ImageNet-1k's 5 names of cats and 118 of dogs, and
    no synonym is known to mean something else (``prairie dog``, ``hot dog``, ``Madagascar cat``).
    The order of the classes does not matter. Numbers alone say what a class is in two cases: 1000
    classes that have no names, and ImageNet's order under names that differ from ImageNet's.

    Args:
        names: Class number → name, the checkpoint's ``id2label``.

    Returns:
        ``cat`` and ``dog`` → class numbers, ascending.

    Raises:
        CheckpointError: No class is called cat or dog; names the classes that there are. Or they
            are more than 1000: in ImageNet-21k a picture of a cat is also one of a feline, a
            carnivore and a pet, so that no part of the classes has all of the cat's share.
    """
    if len(names) > 1000:
        raise CheckpointError(
            f"the checkpoint has {len(names)} classes, which overlap like those of ImageNet-21k: "
            "its share of cats and dogs cannot be told. A checkpoint fine-tuned on ImageNet-1k "
            "would do"
        )
    groups = {
        label: [number for number, name in sorted(names.items()) if _is_a(label, name)]
        for label in _NAMES
    }
    if len(names) == 1000:
        if all(len(groups[label]) == len(known) for label, known in _NAMES.items()):
            return groups
        nameless = all(name == f"LABEL_{number}" for number, name in names.items())
        if nameless or all(sign in names.get(i, "").lower() for i, sign in _SIGNS.items()):
            return {label: list(group) for label, group in IMAGENET_GROUPS.items()}
        if len(groups["dog"]) > len(DOGS) / 2:
            raise CheckpointError(
                "the checkpoint seems to be one of ImageNet-1k in another order and under other "
                f"names: only {len(groups['dog'])} of {len(DOGS)} dogs and {len(groups['cat'])} of "
                f"{len(CATS)} cats are called as they are there, so the rest would be missed"
            )
    missing = [
        label
        for label, numbers in groups.items()
        if not any(_says(label, names[i]) for i in numbers)
    ]
    if missing:
        shown = ", ".join(list(names.values())[:12]) + (", …" if len(names) > 12 else "")
        raise CheckpointError(
            f"the checkpoint has no class for {' and '.join(missing)}; its classes are: {shown}. "
            "A checkpoint of ImageNet-1k, or one with classes named cat and dog, would do"
        )
    return groups


def _is_a(label: str, name: str) -> bool:
    if name == "cardigan":  # ImageNet's 474 is the jacket; 264, the Welsh corgi, is "Cardigan"
        return False
    known = {each.lower() for each in _NAMES[label]}
    return not _is_other(label, name) and (
        _says(label, name) or any(" ".join(words) in known for words in _synonyms(name))
    )


def _says(label: str, name: str) -> bool:
    """Whether a synonym ends in the word or its plural."""
    return any(_word(words[-1]) == label for words in _synonyms(name))


def _is_other(label: str, name: str) -> bool:
    if any(_JOINING & set(words) for words in _synonyms(name)):
        return True
    others = [each.split("-") for each in _OTHER_ANIMALS[label].split()]
    return any(
        _word(words[-1]) == label and words[-1 - len(other) : -1] == other
        for words in _synonyms(name)
        for other in others
    )


def _synonyms(name: str) -> list[list[str]]:
    each = (synonym.lower().replace("_", " ").split() for synonym in name.split(","))
    return [words for words in each if words]


def _word(word: str) -> str:
    return re.sub(r"\W", "", word).removesuffix("s")
