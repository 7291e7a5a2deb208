"""The page's own HTML. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from pawsight.labels import NEITHER
from pawsight.ui.service import Answer, ModelReference
from pawsight.ui.words import Outcome, percent, remark, sentence

_MOST_BARS: Final = 5


def picture(name: str, uri: str, *, answered: bool = True) -> str:
    """A picture in its frame, or that there is no preview of it.

    Args:
        name: Of its file.
        uri: Of the picture; empty where it cannot be shown.
        answered: Whether the service could read it.
    """
    if uri:
        inside = f'<img src="{uri}" alt="{escape(name)}">'
    else:
        inside = f"<span>{'No preview of this format' if answered else 'No preview'}</span>"
    return f'<div class="paw-picture">{inside}</div>'


def overlaid(name: str, uri: str, overlay: str, amount: str) -> str:
    """A picture under what explains it.

    Args:
        name: Of its file.
        uri: Of the picture.
        overlay: Of the same picture, coloured.
        amount: Of the style (see :func:`opacity`) that says how much of the overlay is seen.
    """
    why = f"Where {escape(name)} spoke for the answer, and where against it"
    return f"""
<div class="paw-picture"><img src="{uri}" alt="{escape(name)}">
<img class="paw-{escape(amount)}" src="{overlay}" alt="{why}"></div>"""


def opacity(amount: str, share: float) -> str:
    """How much of an overlay is seen, in [0, 1]: small, so that a slider moves no pictures."""
    return f"<i hidden></i><style>.paw-{escape(amount)} {{ opacity: {share:.2f} }}</style>"


def strip(pictures: Sequence[tuple[str, str, str]]) -> str:
    """Small pictures in a row: the name, the address and the credit of each."""
    figures = "".join(
        f'<figure><img src="{uri}" alt="{escape(name)}"><figcaption>{escape(credit)}</figcaption>'
        "</figure>"
        for name, uri, credit in pictures
    )
    return f'<div class="paw-strip">{figures}</div>'


def said(outcome: Outcome, credit: str = "") -> str:
    """What was said of a picture."""
    source = escape(outcome.file)
    if credit:
        source += f": {escape(credit)}"
    if answer := outcome.answer:
        words = answered(answer)
        source += f"<br>answered by {_named(answer.model)}"
        if answer.decided_by != answer.model:
            source += f"; {_named(answer.decided_by)} named the class"
    else:
        words = f'<h2>No answer</h2><p class="paw-remark">{escape(outcome.error)}</p>'
    return f'<div class="paw-said">{words}<p class="paw-source">{source}</p></div>'


def answered(answer: Answer) -> str:
    """An answer as a sentence, and the bars of what was decided by them."""
    return f"""
<h2>{escape(sentence(answer))}</h2>
<p class="paw-remark">{escape(remark(answer))}</p>
{shares(answer)}"""


def shares(answer: Answer) -> str:
    """The bars; where it is neither, folded away: they say what it would be if it had to be."""
    if answer.label != NEITHER:
        return bars(answer)
    words = "If it had to be one of them"
    return f'<details class="paw-else"><summary>{words}</summary>{bars(answer)}</details>'


def bars(answer: Answer) -> str:
    """The likeliest classes, each with its probability."""
    likeliest = sorted(answer.probabilities.items(), key=lambda item: -item[1])[:_MOST_BARS]
    # In the model's own order, so that a class stands in the same place on every card.
    shown = [label for label in answer.probabilities if label in dict(likeliest)]
    rows = "".join(
        _bar(label, answer.probabilities[label], named=label == answer.label) for label in shown
    )
    return f'<ul class="paw-bars">{rows}</ul>'


def _named(model: ModelReference) -> str:
    return f"{escape(model.name)} <code>{escape(model.version)}</code>"


def _bar(label: str, share: float, *, named: bool) -> str:
    name = escape(label)
    return f"""
<li{' class="paw-named"' if named else ""}><span>{name}</span>
<span class="paw-bar" role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="100"
 aria-valuenow="{100 * share:.0f}"><i style="width: {100 * share:.1f}%"></i></span>
<span>{escape(percent(share))}</span></li>"""
