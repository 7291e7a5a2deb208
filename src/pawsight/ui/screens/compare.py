"""Every model on one picture, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

import streamlit as st

from pawsight.ui import cards
from pawsight.ui.overlays import MARGIN, explain
from pawsight.ui.pictures import Picture, given, small
from pawsight.ui.service import ComparedAnswer, Model, Refused, Unavailable
from pawsight.ui.shell import chosen_of, heading, known_models, say, service
from pawsight.ui.words import full_stop, remark, sentence, verdict

Asked: TypeAlias = tuple[str, frozenset[tuple[str, str]]]
"""A picture's key, and the name and the version of each model."""


def show() -> None:
    """Show the page."""
    heading("Every model, one picture", "What each of them says, how long it takes, and why.")
    models, trouble = known_models()
    if trouble:
        say(trouble)
    pictures = given("compare", many=False)
    if not pictures or (trouble and not _known(pictures[0], models)):
        return
    [picture] = pictures
    try:
        answers = _compared(picture, models)
    except Refused as error:
        st.html(cards.picture(picture.name, "", answered=False))
        st.warning(full_stop(str(error)))
        return
    first = chosen_of([each.name for each in models])
    answers.sort(key=lambda each: each.prediction.model.name != first)
    st.subheader(verdict([each.prediction for each in answers]), anchor=False)
    why = st.toggle("Why?", key="compare-why")
    if why:
        share = st.slider("Overlay", 0, 100, 70, format="%d%%", key="compare-much")
        st.html(cards.opacity("compared", share / 100))
        st.caption(f"Red spoke for the class that is named, blue against it. {MARGIN}")
    with st.container(key="answers"):
        for each in answers:
            _card(picture, each, _slower(each, answers), why=why)


def _known(picture: Picture, models: Sequence[Model]) -> list[ComparedAnswer]:
    """What these models said of a picture; empty where they were not asked yet."""
    nothing: tuple[Asked, list[ComparedAnswer]] = (("", frozenset()), [])
    asked, answers = st.session_state.get("compared", nothing)
    return answers if asked == _asked(picture, models) else []


def _compared(picture: Picture, models: Sequence[Model]) -> list[ComparedAnswer]:
    """What every model says, asked once for each picture and the models that there are."""
    known = _known(picture, models)
    if not known:
        with st.spinner("Asking every model …"):
            known = service().compare(picture.read())
        st.session_state["compared"] = _asked(picture, models), known
    return list(known)


def _asked(picture: Picture, models: Sequence[Model]) -> Asked:
    return picture.key, frozenset((each.name, each.version) for each in models)


def _slower(one: ComparedAnswer, answers: Sequence[ComparedAnswer]) -> str:
    times = one.milliseconds / min(each.milliseconds for each in answers)
    return "the fastest" if times == 1 else f"{times:.1f} × the fastest's time"


def _card(picture: Picture, compared: ComparedAnswer, slower: str, *, why: bool) -> None:
    answer = compared.prediction
    uri = small(picture)
    frame = cards.picture(picture.name, uri)
    if why and uri:
        try:
            overlay, _ = explain(service(), answer.model, picture.key, picture.read())
        except Unavailable as error:
            st.warning(full_stop(str(error)))
        else:
            if overlay:
                frame = cards.overlaid(picture.name, uri, overlay, "compared")
    decided = ""
    if answer.decided_by != answer.model:
        decided = f"; {escape(answer.decided_by.name)} named the class"
    st.html(f"""
<article class="paw-card">{frame}<div class="paw-said">
<p class="paw-model">{escape(answer.model.name)}</p>
<h2>{escape(sentence(answer))}</h2>
<p class="paw-remark">{escape(remark(answer))}</p>
{cards.shares(answer)}
<p class="paw-source">{compared.milliseconds:.0f} ms, {slower}{decided}</p></div></article>""")
