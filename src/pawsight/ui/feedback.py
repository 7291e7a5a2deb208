"""Right or wrong: what people say of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import streamlit as st

from pawsight.labels import NEITHER, WRONG
from pawsight.ui.pictures import Picture
from pawsight.ui.service import Answer, RecordedAnswer, Refused, Service, Unavailable
from pawsight.ui.words import full_stop

MOST_BUTTONS: Final = 8
"""More labels than this stand in a list."""


def ask_whether_right(service: Service, answer: Answer, picture: Picture) -> None:
    """Buttons below an answer; what is said is sent with the picture, which is then kept."""
    told: dict[str, str] = st.session_state.setdefault("said", {})
    if answer.id in told:
        st.caption(told[answer.id])
    st.button(
        "Right",
        icon=":material/thumb_up:",
        key=f"right-{answer.id}",
        on_click=_say,
        args=(service, answer.id, answer.label, picture),
    )
    # Once something was said it is another pop-over, which is closed.
    times = st.session_state.get(f"times-{answer.id}", 0)
    with st.popover("Wrong", icon=":material/thumb_down:", key=f"wrong-{answer.id}-{times}"):
        _ask_what_is_right(service, answer, picture)
        if picture.is_whole:
            st.caption("The picture is sent along and kept by the service, to learn from.")


def choices(answer: Answer) -> list[str]:
    """What can be said of an answer: its model's classes, neither, or that it is wrong."""
    return [*answer.probabilities, NEITHER, WRONG]


def to_say(answers: Sequence[RecordedAnswer]) -> dict[str, RecordedAnswer]:
    """What can be said of a picture, and of which answer: the first whose model knows the label.

    Models that know other labels may have answered it: those come first that most of them know, so
    that they have the same keys for every picture, and last what all of them take.
    """
    known = {label: each for each in reversed(answers) for label in each.probabilities}
    counts = Counter(label for each in answers for label in each.probabilities)
    labels = [label for label, _ in counts.most_common()]
    last = {NEITHER: answers[0], WRONG: answers[0]}
    return {**{label: known[label] for label in labels if label not in last}, **last}


def named(label: str) -> str:
    """A label as a button says it."""
    return {NEITHER: "None of these", WRONG: "Wrong, but I cannot say what it is"}.get(label, label)


def _ask_what_is_right(service: Service, answer: Answer, picture: Picture) -> None:
    others: Sequence[str] = [each for each in choices(answer) if each != answer.label]
    if len(others) > MOST_BUTTONS:
        label = st.selectbox(
            "What would be right?", others, format_func=named, key=f"other-{answer.id}"
        )
        st.button(
            "Send",
            key=f"send-{answer.id}",
            on_click=_say,
            args=(service, answer.id, label, picture),
        )
        return
    st.markdown("What would be right?")
    for label in others:
        st.button(
            named(label),
            key=f"is-{label}-{answer.id}",
            width="stretch",
            on_click=_say,
            args=(service, answer.id, label, picture),
        )


def _say(service: Service, id_: str, label: str, picture: Picture) -> None:
    try:
        words = noted(service.say(id_, label, picture.read() if picture.is_whole else None).label)
    except (Refused, Unavailable) as error:
        words = f"{full_stop(f'not noted: {error}')} Press again to send it."
    st.session_state["said"][id_] = words
    st.session_state[f"times-{id_}"] = st.session_state.get(f"times-{id_}", 0) + 1


def noted(label: str) -> str:
    """What is said once something was."""
    if label == WRONG:
        return "Noted as wrong. Thank you."
    return f"Noted: {named(label) if label == NEITHER else label}. Thank you."
