"""A cascade's folder: its card, the plot, and the card for people."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pawsight.inference.artifact import README_FILE
from pawsight.inference.cascade_card import (
    CASCADE_FILE,
    CURVE_FILE,
    CascadeCard,
    CascadeFolder,
    Choice,
    Outcome,
)
from pawsight.training.folder import digests, write_both
from pawsight.training.model_card import metrics_table, percent

_TEMPLATE: Final = """\
---
library_name: pawsight
pipeline_tag: image-classification
tags: [{labels}]
---

# {name}

{description}

| | |
|---|---|
| fast | `{fast.name}` {fast.version} |
| strong | `{strong.name}` {strong.version} |
| labels | {labels} |
| data digest of what the thresholds were chosen on | `{data_digest}` |

The fast model is asked about every picture. It names a class alone where its calibrated confidence
is at least {choice.confidence:g} and its score at least {choice.accept:g}; it says *neither* alone
where its score is below {choice.reject:g}. Every other picture is sent on to the strong model,
too, which then names the class (`decided_by`). *Neither* is said there where {rejecting} is below
{choice.reject_together:g}. An answer's score is how far that of whoever was asked lies above the
one below which *neither* is said.

Models of other weights or another calibration are refused: `pawsight cascade` chooses thresholds
for them.

## How good it is

{metrics}

Sent on: the part of all pictures that the strong model was asked about.

## What each share gives

![Accuracy, and how many of neither are caught, against the share that is sent on]({curve_file})

On the validation pictures, the members alone:

{alone}

and thresholds that answer most of them rightly, for some shares that are sent on:

{curve}

## Neither

`may_lose` chooses how many of the classes' pictures may be called *neither* (what the strong model
alone is expected to lose at its threshold, and what the cascade did on the validation pictures):

{choices}

## Use

```python
import pawsight

pawsight.load("{name}").predict("photo.jpg").decided_by  # or the path of this folder
```
"""

_OUTCOME: Final = "sent on | accuracy | loses | catches |"
_SHOWN: Final = 9  # points of the curve


def write_cascade(path: Path, card: CascadeCard) -> CascadeFolder:
    """Write ``cascade.json`` and the ``README.md`` that says the same, beside a plot.

    Args:
        path: The folder, which holds ``curve.svg``.
        card: What it says; digests are added.

    Raises:
        OSError: They cannot be written; those that were there still are.
    """
    readme = render(card).encode()
    files = digests(path, [CURVE_FILE]) | {README_FILE: hashlib.sha256(readme).hexdigest()}
    write_both(path, readme, CASCADE_FILE, card.model_copy(update={"files": files}))
    return CascadeFolder.open(path)


def render(card: CascadeCard) -> str:
    """The Markdown of a cascade's card."""
    return _TEMPLATE.format(
        name=card.name,
        description=card.description,
        labels=", ".join(card.labels),
        fast=card.fast,
        strong=card.strong,
        data_digest=card.data_digest,
        choice=card.choice,
        rejecting=_rejecting(card.choice),
        metrics=metrics_table(card.metrics),
        curve_file=CURVE_FILE,
        alone=metrics_table(card.alone),
        curve=_curve(card.curve),
        choices=_choices(card),
    )


def _rejecting(choice: Choice) -> str:
    if choice.weight == 0:
        return "its score"
    return f"the mean of both scores, in which the fast one's has a part of {choice.weight:g},"


def _curve(curve: tuple[Outcome, ...]) -> str:
    step = max(1, -(-len(curve) // _SHOWN))
    rows = [f"| {_cells(each)} |" for each in curve[::step]]
    return "\n".join([f"| {_OUTCOME}", "|---|---|---|---|", *rows])


def _choices(card: CascadeCard) -> str:
    rows = [_row(each, default=each == card.choice) for each in card.choices]
    return "\n".join([f"| loses at most | {_OUTCOME}", "|---|---|---|---|---|", *rows])


def _row(choice: Choice, *, default: bool) -> str:
    promise = "not known" if choice.may_lose is None else f"{choice.may_lose:.3%}"
    return f"| {promise}{' (default)' if default else ''} | {_cells(choice.outcome)} |"


def _cells(outcome: Outcome) -> str:
    shares = (outcome.sent_on, outcome.accuracy, outcome.loses, outcome.catches)
    return " | ".join(map(percent, shares))
