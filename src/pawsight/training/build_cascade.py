"""Two models and labelled pictures → a cascade's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawsight.data.table import data_digest
from pawsight.evaluation.evaluate import judge
from pawsight.inference.artifact import CARD_FILE, Measurement, ModelFolder
from pawsight.inference.cascade import Cascade
from pawsight.inference.cascade_card import CURVE_FILE, CascadeCard, CascadeFolder, Choice, Member
from pawsight.inference.catalog import NAME, Entry, resolve
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.inference.prediction import ModelReference, Prediction
from pawsight.labels import NEITHER, numbers_of
from pawsight.training.cascade import Allowance, Asked, ChoiceError, Members, Trade, choose
from pawsight.training.cascade_folder import write_cascade
from pawsight.training.cascade_plot import curve_plot

Logits = NDArray[np.float32]


def find_members(fast: str, strong: str, output: Path) -> list[tuple[Entry, ModelFolder]]:
    """The two models, where they are ones and the folder for their cascade is free.

    Args:
        fast: As for :func:`build_cascade`, and so are the others.
        strong: Likewise.
        output: Likewise.

    Raises:
        ModelError: There is no such model, it is a cascade, or the two do not fit together; or the
            folder holds a model.
    """
    if (output / CARD_FILE).exists():
        raise ModelError(f"{output} holds a model already: name another folder for the cascade")
    entries = resolve(fast), resolve(strong)
    first, second = folders = [each.open() for each in entries]
    if set(first.card.labels) != set(second.card.labels):
        raise ModelError(
            f"{entries[0].name} knows {', '.join(first.card.labels)} and {entries[1].name} "
            f"{', '.join(second.card.labels)}: a cascade's members tell the same classes apart"
        )
    if (entries[0].name, first.version) == (entries[1].name, second.version):
        raise ModelError(f"{entries[0].name} cannot send on to itself: name two models")
    return list(zip(entries, folders, strict=True))


def build_cascade(
    fast: str,
    strong: str,
    pictures: pd.DataFrame,
    output: Path,
    *,
    name: str,
    data: str,
    allowance: Allowance,
    progress: Callable[[int], None] | None = None,
) -> CascadeFolder:
    """Ask two models about validation pictures, choose thresholds, and write the folder.

    How they are chosen: :func:`~pawsight.training.cascade.choose`, once for each threshold that the
    strong model's card offers. Without pictures of none of the classes, the fast model names a
    class only where it would not have said ``neither`` alone.

    Args:
        fast: The model that is asked first, by name or path.
        strong: The one that is asked where the first is unsure.
        pictures: ``path``, ``label`` and ``split`` of pictures that neither learned from.
        output: The folder; an older cascade in it is replaced.
        name: For the card.
        data: What to call the pictures.
        allowance: By how much the cascade may be worse than the strong model.
        progress: Called with the number of pictures after each step, for either model.

    Raises:
        ModelError: There is no such model, it is a cascade, or the two do not fit together.
        ChoiceError: The pictures are not such that thresholds can be chosen on them.
    """
    entries, folders = zip(*find_members(fast, strong, output), strict=True)
    members = [
        Classifier(folder, name=entry.name, source=entry.source)
        for entry, folder in zip(entries, folders, strict=True)
    ]
    _check(members[0], pictures)
    labels = [*pictures["label"]]
    logits = [each.logits([*pictures["path"]], progress) for each in members]
    fast_asked, strong_asked = (
        Asked.of(rows, _numbers(labels, each), each.card.temperature)
        for rows, each in zip(logits, members, strict=True)
    )
    answered = Members(fast_asked, strong_asked, pictures["label"].to_numpy() != NEITHER)
    least = members[0].card.rejection.threshold if answered.known.all() else -np.inf
    found = [
        choose(answered, threshold=threshold, may_lose=may_lose, least=least, allowance=allowance)
        for threshold, may_lose in _thresholds(members[1])
    ]
    own = members[1].card.rejection.threshold
    default = [threshold for threshold, _ in _thresholds(members[1])].index(own)
    output.mkdir(parents=True, exist_ok=True)
    card = _card(
        name, entries, members, [choice for choice, _ in found], default, found[default][1],
        data_digest=data_digest(pictures), output=output,
        alone=[
            _measured(each.conclude(rows), labels, f"{each.reference.name} alone, {data}", [each])
            for each, rows in zip(members, logits, strict=True)
        ],
    )  # fmt: skip
    (output / CURVE_FILE).write_text(curve_plot(card), encoding="utf-8")
    folder = write_cascade(output, card)
    cascade = Cascade(folder, *members)
    answers = cascade.decide(
        members[0].conclude(logits[0]), lambda unsure: members[1].conclude(logits[1][[*unsure]])
    )
    return write_cascade(output, card.measured(_measured(answers, labels, data, members)))


def _check(fast: Classifier, pictures: pd.DataFrame) -> None:
    unknown = sorted({*pictures["label"]} - {*fast.card.labels, NEITHER})
    if unknown:
        raise ChoiceError(
            f"the models know {', '.join(fast.card.labels)}; the table also has "
            f"{', '.join(unknown)}"
        )


def _numbers(labels: Sequence[str], model: Classifier) -> NDArray[np.intp]:
    numbers = numbers_of(model.card.labels)
    return np.array([numbers[label] for label in labels], dtype=np.intp)


def _thresholds(strong: Classifier) -> list[tuple[float, float | None]]:
    """Those that a model offers, its own among them, and what each is expected to lose."""
    rejection = strong.card.rejection
    offered: dict[float, float | None] = {each.threshold: each.loses for each in rejection.points}
    return sorted({rejection.threshold: None, **offered}.items())


def _card(
    name: str,
    entries: Sequence[Entry],
    members: Sequence[Classifier],
    choices: Sequence[Choice],
    default: int,
    trade: Trade,
    *,
    data_digest: str,
    output: Path,
    alone: Sequence[Measurement],
) -> CascadeCard:
    fast, strong = (
        Member.of(_name_of(entry, output), member.card)
        for entry, member in zip(entries, members, strict=True)
    )
    names = [member.reference.name for member in members]
    return CascadeCard(
        name=name,
        description=f"Asks {names[0]}, and {names[1]} too where that is unsure.",
        architecture=f"cascade of {names[0]} and {names[1]}",
        labels=members[1].card.labels,
        metrics=(),
        files={},
        fast=fast,
        strong=strong,
        choices=tuple(choices),
        default=default,
        alone=(alone[0], alone[1]),
        curve=trade.curve(),
        data_digest=data_digest,
    )


def _name_of(entry: Entry, output: Path) -> str:
    """How a cascade's folder names a member: by its name, or by the way to its folder."""
    if entry.source != "local":
        return entry.name
    way = Path(os.path.relpath(entry.path.resolve(), output.resolve())).as_posix()
    return f"./{way}" if NAME.fullmatch(way) else way


def _measured(
    answers: Sequence[Prediction],
    labels: Sequence[str],
    data: str,
    members: Sequence[Classifier],
) -> Measurement:
    references: list[ModelReference] = [each.reference for each in members]
    alone = len(members) == 1
    return judge(
        answers,
        labels,
        data=data,
        threshold=members[0].threshold if alone else 0.0,
        members=references,
    ).measurement()
