"""The card for people: ``README.md`` of a model folder, in the Hugging Face model-card form."""

from __future__ import annotations

from pawsight.inference.artifact import Card, Measurement

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

Accuracy is the part of the classes' pictures whose most probable class is the right one. *Neither*
is the part of all pictures that the model calls so. ECE is the expected calibration error over 15
bins. `pawsight evaluate` measures all of them, through the same path as in serving.

## Neither

A picture is called *neither* where `logsumexp(logits)` is below {threshold:g}. {keeps}
{trained}

## Use

```python
import pawsight

pawsight.load("{name}").predict("photo.jpg")  # or the path of this folder
```
"""


def render(card: Card) -> str:
    """The Markdown of a card."""
    origin, how = card.provenance, card.preprocessing
    return _TEMPLATE.format(
        name=card.name,
        description=card.description,
        architecture=card.architecture,
        labels=", ".join(card.labels),
        licence=origin.licence.lower(),
        preprocessing=f"{how.height}×{how.width}, {how.geometry}, {how.resample}",
        started_from=origin.started_from,
        data=origin.data,
        data_digest=f"`{origin.data_digest}`" if origin.data_digest else "unknown",
        seed="unknown" if origin.seed is None else origin.seed,
        code_revision=origin.code_revision,
        libraries=", ".join(f"{name} {number}" for name, number in origin.libraries.items()),
        temperature=card.temperature,
        metrics=_metrics(card.metrics),
        threshold=card.rejection.threshold,
        keeps=(
            f"{card.rejection.keeps:.0%} of the validation split's pictures of the classes pass."
            if card.rejection.keeps
            else "That threshold was not chosen on pictures."
        ),
        trained=(
            "Training had pictures of neither to learn from."
            if card.rejection.trained
            else "Training had no pictures of neither: expect it to overlook many."
        ),
    )


def _metrics(metrics: tuple[Measurement, ...]) -> str:
    lines = ["| data | pictures | accuracy | neither | ECE |", "|---|---|---|---|---|"]
    for each in metrics:
        accuracy, ece = _percent(each.accuracy), _percent(each.ece)
        lines.append(
            f"| {each.data} | {each.pictures} | {accuracy} | {_percent(each.rejected)} | {ece} |"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
