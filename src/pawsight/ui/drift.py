"""Whether what comes in is like what the models were chosen on."""

from __future__ import annotations

import streamlit as st

from pawsight.ui.service import ModelDrift, Refused, Service, Unavailable
from pawsight.ui.shell import say
from pawsight.ui.tables import table
from pawsight.ui.words import full_stop

_SMALL, _LARGE = 0.1, 0.25  # of the population stability index


@st.fragment
def drift_panel(asked: Service) -> None:
    """What the service says of the pictures that come in."""
    st.subheader("Has what comes in changed?", anchor=False)
    try:
        drift = asked.drift()
    except (Refused, Unavailable) as error:
        if isinstance(error, Unavailable) and error.gone:
            say(error)
        else:
            st.caption(full_stop(str(error)))
        return
    rows = [
        [
            each.model,
            {True: "changed", False: "no", None: "–"}[each.drifted],
            _p(each.features_p),
            _psi(each.confidence_psi),
            _psi(each.label_psi),
            f"{each.pictures} of {drift.window}" if drift.window else "–",
        ]
        for each in drift.models
    ]
    head = ("model", "changed?", "what it sees", "how sure it is", "what it says", "next window")
    st.html(table(head, rows, "What comes in, held against what the models saw", words=True))
    for each in drift.models:
        st.caption(_words(each))
    st.button("Look again", key="drift-again")


def _words(drift: ModelDrift) -> str:
    when = f" ({drift.time:%Y-%m-%d %H:%M} UTC)" if drift.time else ""
    return f"{drift.model}: {drift.message}{when}."


def _p(value: float | None) -> str:
    return "–" if value is None else f"p = {value:.2g}"


def _psi(value: float | None) -> str:
    if value is None:
        return "–"
    words = "a lot" if value >= _LARGE else "a little" if value >= _SMALL else "alike"
    return f"{words} (PSI {value:.2f})"
