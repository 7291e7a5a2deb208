"""The card for people: ``README.md`` of a model folder, in the Hugging Face model-card form."""

from __future__ import annotations

from collections.abc import Sequence

from pawsight.images.preprocess import Preprocessing
from pawsight.inference.artifact import Card, Measurement
from pawsight.inference.rejection import Rejection

_TEMPLATE = """\
---
license: {licence}
library_name: pawsight
pipeline_tag: image-classification
tags: [{labels}]
---

# {name}

{description}

| | |
|---|---|
| architecture | {architecture} |
| input | RGB, {preprocessing} |
| labels | {labels} |
| started from | {started_from} |
| trained on | {data} |
| data digest | {data_digest} |
| seed | {seed} |
| code | `{code_revision}` |
| libraries | {libraries} |
| temperature | {temperature:g} |

## How good it is

{metrics}

Accuracy is the part of the classes' pictures whose most probable class is the right one; ECE the
expected calibration error over 15 bins; *loses* the part of the classes' pictures that the model
calls *neither*, *catches* the part of the others that it calls so, and AUROC how often one of the
classes' scores higher than one of the others. `pawsight evaluate` measures all of them, through the
same path as in serving.

## Neither

A picture is called *neither* where `logsumexp(logits)` is below {threshold:g}.
{trained}

{points}

## Use

```python
import pawsight

pawsight.load("{name}").predict("photo.jpg")  # or the path of this folder
```
"""


def _preprocessing(how: Preprocessing) -> str:
    said = f"{how.height}×{how.width}, {how.geometry}, {how.resample}"
    if how.crop_fraction == 1:
        return said
    side = "each side" if how.geometry == "stretch" else "the shorter side"
    return f"{said}, of the middle {how.crop_fraction:.4g} of {side}"


def render(card: Card) -> str:
    """The Markdown of a card."""
    origin = card.provenance
    return _TEMPLATE.format(
        name=card.name,
        description=card.description,
        architecture=card.architecture,
        labels=", ".join(card.labels),
        licence=origin.licence.lower(),
        preprocessing=_preprocessing(card.preprocessing),
        started_from=origin.started_from,
        data=origin.data,
        data_digest=f"`{origin.data_digest}`" if origin.data_digest else "unknown",
        seed="unknown" if origin.seed is None else origin.seed,
        code_revision=origin.code_revision,
        libraries=", ".join(f"{name} {number}" for name, number in origin.libraries.items()),
        temperature=card.temperature,
        metrics=metrics_table(card.metrics),
        threshold=card.rejection.threshold,
        points=_points(card.rejection),
        trained=(
            "Training had pictures of neither to learn from."
            if card.rejection.trained
            else "Training had no pictures of neither: expect it to overlook many."
        ),
    )


def metrics_table(metrics: Sequence[Measurement]) -> str:
    """Measurements as a table; what is sent on has a column where there is a cascade."""
    sent_on = any(each.sent_on is not None for each in metrics)
    heads = ["data", "pictures", "accuracy", "ECE", "loses", "catches", "AUROC"]
    heads += ["sent on"] * sent_on
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for each in metrics:
        shares = [each.accuracy, each.ece, each.loses, each.catches]
        cells = [
            each.data.replace("|", r"\|"),
            str(each.pictures),
            *map(percent, shares),
            _plain(each.auroc),
            *[percent(each.sent_on)] * sent_on,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _points(rejection: Rejection) -> str:
    """What is to be expected of each threshold, for the next picture."""
    if not rejection.points:
        return "That threshold was not chosen on pictures: what it loses is not known."
    lines = [
        "What to expect on the next picture, if it comes from where the validation pictures do",
        "(95 % intervals); `may_lose` chooses:",
        "",
        "| threshold | loses, of the classes | catches, of the others |",
        "|---|---|---|",
    ]
    for each in rejection.points:
        chosen = " (default)" if each == rejection.point else ""
        caught = percent(each.catches)
        if each.catches_interval is not None:
            caught += f" ({_range(each.catches_interval)})"
        lines.append(
            f"| {each.threshold:g}{chosen} | {each.loses:.3%} ({_range(each.loses_interval)}) "
            f"| {caught} |"
        )
    return "\n".join(lines)


def _range(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.2%} to {interval[1]:.2%}"


def percent(share: float | None) -> str:
    """A share for people, or a dash."""
    return "–" if share is None else f"{share:.2%}"


def _plain(share: float | None) -> str:
    return "–" if share is None else f"{share:.4f}"
