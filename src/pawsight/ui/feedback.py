"""Right or wrong: what people say of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from pawsight.labels import NEITHER
from pawsight.ui.pictures import Picture
from pawsight.ui.service import Answer, Refused, Service, Unavailable
from pawsight.ui.words import full_stop

WRONG: Final = "wrong"
"""What is said where nothing more is known."""
_MOST_BUTTONS: Final = 8


def ask_whether_right(service: Service, answer: Answer, picture: Picture) -> None:
    """Buttons below an answer; what is said is sent with the picture, which is then kept."""
    said: dict[str, str] = st.session_state.setdefault("said", {})
    if answer.id in said:
        st.caption(_thanks(said[answer.id]))
    if st.button("Right", icon=":material/thumb_up:", key=f"right-{answer.id}"):
        _say(service, answer, answer.label, picture)
    with st.popover("Wrong", icon=":material/thumb_down:", key=f"wrong-{answer.id}"):
        label = _what_is_right(answer)
        st.caption("The picture is sent along and kept by the service, to learn from.")
    if label:
        _say(service, answer, label, picture)


def choices(answer: Answer) -> list[str]:
    """What can be said of an answer: its model's classes, neither, or that it is wrong."""
    return [*answer.probabilities, NEITHER, WRONG]


def named(label: str) -> str:
    """A label as a button says it."""
    return {NEITHER: "None of these", WRONG: "I do not know"}.get(label, label)


def _what_is_right(answer: Answer) -> str | None:
    others: Sequence[str] = [each for each in choices(answer) if each != answer.label]
    st.markdown("What would be right?")
    if len(others) > _MOST_BUTTONS:
        chosen = st.selectbox(
            "Right answer", others, index=None, format_func=named, key=f"other-{answer.id}"
        )
        return chosen if st.button("Send", key=f"send-{answer.id}") else None
    for label in others:
        if st.button(named(label), key=f"is-{label}-{answer.id}", width="stretch"):
            return label
    return None


def _say(service: Service, answer: Answer, label: str, picture: Picture) -> None:
    try:
        held = service.say(answer.id, label, picture.read())
    except (Refused, Unavailable) as error:
        st.warning(full_stop(f"not noted: {error}"))
        return
    st.session_state["said"][answer.id] = held.label
    st.rerun(scope="fragment")


def _thanks(label: str) -> str:
    if label == WRONG:
        return "Noted as wrong. Thank you."
    return f"Noted: {named(label) if label == NEITHER else label}. Thank you."
