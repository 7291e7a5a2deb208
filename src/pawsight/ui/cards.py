"""The page's own HTML. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from pawsight.ui.service import Answer, Answerer
from pawsight.ui.words import Outcome, percent, question, remark, sentence

_MOST_BARS: Final = 5


def header(labels: Sequence[str]) -> str:
    """The name of the page and what it is for."""
    return f"""
<header class="paw-header">
  <div class="paw-mark"></div>
  <div><h1>pawsight</h1><p>{escape(question(labels))}</p></div>
</header>"""


def card(outcome: Outcome) -> str:
    """A picture with what was said about it."""
    answer, source = outcome.answer, escape(outcome.file)
    if answer:
        said = _answer(answer)
        source += f"<br>answered by {_named(answer.model)}"
        if answer.decided_by != answer.model:
            source += f"; {_named(answer.decided_by)} decided"
    else:
        said = f'<h2>No answer</h2><p class="paw-remark">{escape(outcome.error)}</p>'
    return f"""
<article class="paw-card">
  <div class="paw-picture">{_picture(outcome)}</div>
  <div class="paw-said">{said}<p class="paw-source">{source}</p></div>
</article>"""


def _named(model: Answerer) -> str:
    return f"{escape(model.name)} <code>{escape(model.version)}</code>"


def _picture(outcome: Outcome) -> str:
    if outcome.preview:
        return f'<img src="{outcome.preview}" alt="{escape(outcome.file)}">'
    return f"<span>{'No preview of this format' if outcome.answer else 'No preview'}</span>"


def _answer(answer: Answer) -> str:
    likeliest = sorted(answer.probabilities.items(), key=lambda item: -item[1])[:_MOST_BARS]
    # In the model's own order, so that a class stands in the same place on every card.
    shown = [label for label in answer.probabilities if label in dict(likeliest)]
    bars = "".join(
        _bar(label, answer.probabilities[label], named=label == answer.label) for label in shown
    )
    return f"""
<h2>{escape(sentence(answer))}</h2>
<p class="paw-remark">{escape(remark(answer))}</p>
<ul class="paw-bars">{bars}</ul>"""


def _bar(label: str, share: float, *, named: bool) -> str:
    name = escape(label)
    return f"""
<li{' class="paw-named"' if named else ""}><span>{name}</span>
<span class="paw-bar" role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="100"
 aria-valuenow="{100 * share:.0f}"><i style="width: {100 * share:.1f}%"></i></span>
<span>{escape(percent(share))}</span></li>"""
