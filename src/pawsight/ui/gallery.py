"""The worst mistakes of an evaluation, to be looked through."""

from __future__ import annotations

from html import escape
from pathlib import PurePath

import streamlit as st

from pawsight.labels import NEITHER
from pawsight.ui.report import Mistake, Report
from pawsight.ui.shell import chosen_of, note_choice
from pawsight.ui.words import percent

_MAKES = "`pawsight evaluate … --mistakes pictures --json report.json`"


@st.fragment
def mistakes(report: Report) -> None:
    """Those of a report, filtered by model, sort, right label and confidence."""
    st.subheader("The worst mistakes", anchor=False)
    models = {each.model: each for each in report.models if each.mistakes}
    if not models:
        st.caption(f"This report shows none. {_MAKES} makes one that does, with small pictures.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = list(models)
        model = st.segmented_control(
            "Of", names, default=chosen_of(names) or names[0], required=True, key="mistakes-of"
        )
        note_choice(model, names)
        there = models[model].mistakes
        sorts = st.pills("Sort", list(there), selection_mode="multi", key="mistakes-sort")
        labels = sorted({each.label for found in there.values() for each in found})
        right = st.pills("Right label", labels, selection_mode="multi", key="mistakes-label")
    least = st.slider("At least so sure", 0, 100, 0, format="%d%%", key="mistakes-sure")
    found = [
        each
        for sort, group in there.items()
        if not sorts or sort in sorts
        for each in group
        if (not right or each.label in right) and 100 * each.confidence >= least
    ]
    st.caption(f"{len(found)} of {sum(map(len, there.values()))} shown")
    st.html(f'<div class="paw-strip paw-mistakes">{"".join(map(figure, found))}</div>')


def figure(mistake: Mistake) -> str:
    """A mistake with its small picture, if the report has it."""
    name = escape(PurePath(mistake.path).name)
    if mistake.thumbnail.startswith("data:image/"):
        picture = f'<img src="{escape(mistake.thumbnail)}" alt="{name}">'
    else:
        picture = '<span class="paw-none">not in the report</span>'
    how = "" if mistake.answer == NEITHER else f"{percent(mistake.confidence)} sure, "
    return f"""
<figure>{picture}<figcaption>{escape(mistake.label)}, answered <b>{escape(mistake.answer)}</b><br>
{how}score {mistake.score:.1f}<br>{name}</figcaption></figure>"""
