"""The cards of the models, the version, the health."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import streamlit as st

from pawsight.ui.service import ModelDetail, Ready
from pawsight.ui.shell import choose_model, heading, known_models, say, service
from pawsight.ui.tables import share
from pawsight.ui.words import full_stop

_PERCENT: Final = {
    "accuracy": "accuracy",
    "ece": "calibration error",
    "loses": "called neither",
    "catches": "neither caught",
    "sent_on": "sent on",
}
_RECORD: Final = {
    "off": "Answers are not recorded.",
    "starting": "The record is being opened.",
    "written": "Answers are recorded.",
    "not-written": "Answers are given, but not recorded",
}


def show() -> None:
    """Show the page."""
    heading("About", "Which models answer here, what they were measured to be, and how it runs.")
    models, trouble = known_models()
    if trouble:
        say(trouble)
        return
    _health(service().ready())
    _card(service().card(choose_model(models).name))


def _health(ready: Ready) -> None:
    with st.container(key="health"):
        record = ready.record
        words = _RECORD.get(record.status, record.status) if record else ""
        if record and record.reason:
            words = f"{words.rstrip('.')}: {full_stop(record.reason)}"
        versions = ", ".join(f"{name} {version}" for name, version in ready.versions.items())
        if ready.resizing == "Pillow":
            versions += "; pictures are resized by Pillow, as nothing is compiled that does it"
        st.html(f"""
<div class="paw-health"><p><b class="paw-well">Ready</b> {escape(words)}</p>
<p>{escape(versions)}; the service is at <code>{escape(service().url)}</code></p></div>""")


def _card(model: ModelDetail) -> None:
    card = model.card
    facts = {
        "version": model.version,
        "from": model.source,
        "tells apart": ", ".join(model.labels),
        "network": model.architecture,
        "size": f"{model.size / 1e6:.1f} MB",
        "neither below a score of": _threshold(model),
        **_provenance(card.get("provenance") or {}),
    }
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    st.html(f"""
<article class="paw-about"><h2>{escape(model.name)}</h2><p>{escape(model.description)}</p>
<dl class="paw-facts">{rows}</dl></article>""")
    if model.metrics:
        st.subheader("What was measured", anchor=False)
        st.html(f'<div class="paw-wide" tabindex="0">{_measured(model.metrics)}</div>')
    with st.expander("The whole card, as data"):
        st.json(card, expanded=1)


def _provenance(provenance: Mapping[str, Any]) -> dict[str, str]:
    kept = {"started_from": "started from", "licence": "licence", "data": "trained on"}
    return {words: str(provenance.get(name) or "") for name, words in kept.items()}


def _measured(metrics: list[dict[str, Any]]) -> str:
    columns = [name for name in _PERCENT if any(each.get(name) is not None for each in metrics)]
    head = "".join(f'<th scope="col">{_PERCENT[name]}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(str(each.get("data", "")))}</th>'
        f"<td>{each.get('pictures', '')}</td>"
        + "".join(f"<td>{share(each.get(name))}</td>" for name in columns)
        + "</tr>"
        for each in metrics
    )
    return (
        f'<table class="paw-table"><thead><tr><th scope="col">data</th>'
        f'<th scope="col">pictures</th>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _threshold(model: ModelDetail) -> str:
    """Below which score a picture is neither; a cascade has no one threshold of its own."""
    if model.threshold is None:
        return ""
    members = [str(model.card[each]["name"]) for each in ("fast", "strong") if each in model.card]
    if members:
        return f"that of whoever was asked ({members[0]} alone, or both), from which scores count"
    return f"{model.threshold:.2f}"
