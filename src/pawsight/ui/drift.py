"""Whether what comes in is like what the models were chosen on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from pawsight.ui.service import ModelDrift, Refused, Service, Unavailable
from pawsight.ui.shell import say
from pawsight.ui.tables import table
from pawsight.ui.words import full_stop, moment

_SMALL, _LARGE = 0.1, 0.25  # of the population stability index
_TESTS: Final = 3  # of a window; together they may cry wolf as often as the level says
_HELP: Final = (
    "The latest pictures, some hundreds together, are held against pictures that were kept back "
    "when the model was trained. *What it sees*: whether its features differ by more than chance. "
    "*How sure it is* and *what it says*: how differently confidences and labels are spread."
)
_FIGURES: Final = (
    "p is how often the features would differ as much if nothing had changed (Hotelling's test): "
    "the smaller, the surer it is that something has. PSI is the population stability index, 0 "
    "where two spreads are the same: below 0.1 they are called alike, from 0.25 on they differ a "
    "lot."
)


@st.fragment
def drift_panel(asked: Service) -> None:
    """What the service says of the pictures that come in."""
    st.subheader("Has what comes in changed?", anchor=False, help=_HELP)
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
            _seen(each.features_p, drift.level),
            _spread(each.confidence_psi),
            _spread(each.label_psi),
            f"{each.pictures} of {drift.window}" if drift.window else "–",
        ]
        for each in drift.models
    ]
    head = ("model", "changed?", "what it sees", "how sure it is", "what it says", "next window")
    st.html(table(head, rows, "What comes in, held against what the models saw", words=True))
    for each in drift.models:
        st.caption(_words(each))
    _figures([each for each in drift.models if each.features_p is not None])
    st.button("Look again", key="drift-again")


def _words(drift: ModelDrift) -> str:
    when = f" ({moment(drift.time)})" if drift.time else ""
    return f"{drift.model}: {drift.message}{when}."


def _seen(p: float | None, level: float) -> str:
    if p is None:
        return "–"
    return "something else" if p < level / _TESTS else "alike"


def _spread(psi: float | None) -> str:
    if psi is None:
        return "–"
    return "differs a lot" if psi >= _LARGE else "differs a little" if psi >= _SMALL else "alike"


def _figures(compared: Sequence[ModelDrift]) -> None:
    """What the words are made of, for those who know the terms or want to."""
    if not compared:
        return
    rows = [
        [
            each.model,
            "–" if each.features_p is None else f"{each.features_p:.2g}",
            *(
                "–" if psi is None else f"{psi:.2f}"
                for psi in (each.confidence_psi, each.label_psi)
            ),
        ]
        for each in compared
    ]
    with st.expander("The figures"):
        head = ("model", "what it sees: p", "how sure it is: PSI", "what it says: PSI")
        st.html(table(head, rows, "The figures of the last window"))
        st.caption(_FIGURES)
