"""What the page says about an answer, and the tables that it gives away."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from pawsight.labels import NEITHER
from pawsight.plurals import counted
from pawsight.ui.service import Answer

_MOST_NAMED = 5
_FEW = 100  # pictures: of so many, one is at least a percent


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes:
        file: Its name.
        answer: What was answered, or
        error: why there is no answer.
    """

    file: str
    answer: Answer | None = None
    error: str = ""


def full_stop(words: str) -> str:
    """``not an image`` → ``Not an image.``."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def moment(time: datetime) -> str:
    """``2026-01-01 09:30 UTC``: nobody tells the page the reader's zone."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def plain(text: str) -> str:
    """What came with an address, without the signs that are links and pictures in Markdown."""
    return re.sub(r"[^\w. -]+", "…", text[:64])


def with_article(label: str) -> str:
    """``cat`` → ``a cat``."""
    return f"{'an' if label[:1].lower() in set('aeiou') else 'a'} {label}"


def sentence(answer: Answer) -> str:
    """The answer, said."""
    if answer.label != NEITHER:
        return f"This is {with_article(answer.label)}."
    labels = [with_article(label) for label in answer.probabilities]
    if len(labels) > _MOST_NAMED:
        return f"None of the {len(labels)} kinds that this model knows."
    return f"Neither {', '.join(labels[:-1])} nor {labels[-1]}."


def remark(answer: Answer) -> str:
    """How sure the model is."""
    if answer.label != NEITHER:
        return f"{percent(answer.confidence)} sure"
    closest = max(answer.probabilities, key=answer.probabilities.__getitem__)
    return f"Nothing that this model knows. The closest would be {with_article(closest)}."


def decision(answer: Answer) -> str:
    """What was decided, within a sentence: ``a cat``, ``neither``."""
    return answer.label if answer.label == NEITHER else with_article(answer.label)


def verdict(answers: Sequence[Answer]) -> str:
    """What several models say of one picture, in a sentence, or in one for each set of labels.

    Only models that know the same labels agree or disagree.
    """
    kinds: dict[frozenset[str], list[Answer]] = {}
    for each in answers:
        kinds.setdefault(frozenset(each.probabilities) - {NEITHER}, []).append(each)
    if len(kinds) == 1:
        return _agreement(answers, "They")
    largest_first = sorted(kinds.values(), key=len, reverse=True)
    return " ".join(_agreement(group, _listed(_names(group))) for group in largest_first)


def _agreement(answers: Sequence[Answer], who: str) -> str:
    """What models that know the same labels say."""
    said: dict[str, list[str]] = {}
    for each in answers:
        said.setdefault(decision(each), []).append(each.model.name)
    parts = [
        f"{_listed(names)} say{'s' if len(names) == 1 else ''} {what}"
        for what, names in said.items()
    ]
    if len(parts) > 1:
        return f"{who} disagree: {', '.join(parts)}."
    if who != "They" or len(answers) == 1:
        return f"{parts[0]}."
    [what] = said
    return f"{'Both' if len(answers) == 2 else f'All {len(answers)}'} models say {what}."


def _names(answers: Sequence[Answer]) -> list[str]:
    return list(dict.fromkeys(each.model.name for each in answers))


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def question(labels: Sequence[str]) -> str:
    """``cat, dog`` → ``Cat, dog or neither?``."""
    if not 0 < len(labels) <= _MOST_NAMED:
        return "What is in the picture?"
    text = f"{', '.join(labels)} or neither?"
    return text[0].upper() + text[1:]


def said(answer: Answer) -> str:
    """An answer within a table: ``a cat, 93% sure``; of neither, no figure says how sure it is."""
    if answer.label == NEITHER:
        return "neither: nothing that it knows"
    return f"{with_article(answer.label)}, {percent(answer.confidence)} sure"


def right(accuracy: float, pictures: int) -> str:
    """How many are right: of few pictures the number, of many the share.

    Args:
        accuracy: In [0, 1].
        pictures: How many it was measured on.
    """
    if pictures < _FEW:
        return f"{round(accuracy * pictures)} of {pictures}"
    return f"{percent(accuracy)} of {pictures:,}"


def percent(share: float) -> str:
    """A share in [0, 1] for people, who take 100% for a promise."""
    if share >= 0.995:
        return "over 99%"
    if share < 0.005:
        return "under 1%"
    return f"{share:.0%}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many pictures there are of what."""
    labels = Counter(each.answer.label for each in outcomes if each.answer)
    parts = [f"{label} {count}" for label, count in labels.most_common()]
    if failed := sum(1 for each in outcomes if not each.answer):
        parts.append(f"no answer {failed}")
    return f"{counted(len(outcomes), 'picture')}: {', '.join(parts)}"


def as_csv(outcomes: Sequence[Outcome]) -> str:
    """A table with a row for each picture and a column ``p_…`` for each class."""
    labels = dict.fromkeys(label for each in outcomes if each.answer for label in _shares(each))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    shares = [f"p_{label}" for label in labels]
    deciding = ["decided_by", "decided_by_version"]
    writer.writerow(
        ["file", "label", "confidence", *shares, "model", "version", *deciding, "error"]
    )
    for each in outcomes:
        if answer := each.answer:
            values = [answer.probabilities.get(label, "") for label in labels]
            said = [answer.label, answer.confidence, *values]
            models = [(model.name, model.version) for model in (answer.model, answer.decided_by)]
            writer.writerow([each.file, *said, *models[0], *models[1], ""])
        else:
            writer.writerow([each.file, "", "", *[""] * len(labels), *[""] * 4, each.error])
    return table.getvalue()


def as_json(outcomes: Sequence[Outcome]) -> str:
    """A list with an object for each picture: the answer as the service gave it, or the error."""
    records = [
        {"file": each.file, **(each.answer.model_dump() if each.answer else {"error": each.error})}
        for each in outcomes
    ]
    return json.dumps(records, indent=2, ensure_ascii=False)


def _shares(outcome: Outcome) -> dict[str, float]:
    return outcome.answer.probabilities if outcome.answer else {}
