"""What all pages share: the service, the models, the choice among them, and words for trouble."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import streamlit as st

from pawsight.ui.launch import API_VARIABLE, DEFAULT_API
from pawsight.ui.service import Model, Service, Unavailable
from pawsight.ui.words import full_stop, plain

FIRST: Final = "auto"
"""The model that is asked where nobody chose."""
_PARAMETER: Final = "model"
_CHOSEN: Final = "chosen"
_EVERY: Final = 3.0  # seconds between two questions whether a service is back
_MOST_SIDE_BY_SIDE: Final = 4


@st.cache_resource
def _service(url: str) -> Service:
    return Service(url)


def service() -> Service:
    """The one whose address the page was started with."""
    return _service(os.environ.get(API_VARIABLE, DEFAULT_API))


def heading(title: str, words: str = "") -> None:
    """A page's title, and what it is for."""
    below = f"<p>{escape(words)}</p>" if words else ""
    st.html(f'<header class="paw-header"><h1>{escape(title)}</h1>{below}</header>')


def known_models() -> tuple[list[Model], Unavailable | None]:
    """The service's models, ``auto`` first, and what is wrong, if something is.

    Those of last time are kept where the service is gone, so that its answers can still be shown.
    """
    trouble = None
    try:
        models = service().models()
        st.session_state["models"] = sorted(models, key=lambda each: each.name != FIRST)
    except Unavailable as error:
        trouble = error
    found: list[Model] = st.session_state.setdefault("models", [])
    return found, trouble


def chosen_of(names: Sequence[str]) -> str | None:
    """The model that somebody chose, on this page or another, if it is one of these."""
    wanted = st.query_params.get(_PARAMETER) or st.session_state.get(_CHOSEN)
    return wanted if wanted in names else None


def note_choice(name: str, names: Sequence[str]) -> None:
    """Where another model is chosen among these than before, have all pages and the address know.

    In this order: who sees the address change may turn the page, which ends this run of it, and
    what is not kept by then is lost.

    Args:
        name: What is chosen now.
        names: Of which the first is chosen where nobody chose.
    """
    if name != (chosen_of(names) or names[0]):
        st.session_state[_CHOSEN] = name
        st.query_params[_PARAMETER] = name


def carry_choice() -> None:
    """What was chosen on another page stands in this one's address, too; for the frame."""
    chosen = st.session_state.get(_CHOSEN)
    if asked := st.query_params.get(_PARAMETER):
        st.session_state.setdefault(_CHOSEN, asked)
    elif chosen and chosen != next((each.name for each in st.session_state.get("models", ())), ""):
        st.query_params[_PARAMETER] = chosen


def choose_model(models: Sequence[Model]) -> Model:
    """One of the models, one or more; the choice stands in the address and holds on every page."""
    names = [each.name for each in models]
    asked = st.query_params.get(_PARAMETER)
    if st.session_state.get("model", names[0]) not in names:
        del st.session_state["model"]
    before = chosen_of(names) or names[0]
    name: str | None
    if len(names) <= _MOST_SIDE_BY_SIDE:
        name = st.segmented_control("Model", names, default=before, key="model", required=True)
    else:
        name = st.selectbox("Model", names, index=names.index(before), key="model")
    chosen = next((each for each in models if each.name == name), models[0])
    st.session_state[_CHOSEN] = chosen.name  # before the address, as in `note_choice`
    if asked and asked not in names:
        st.caption(f"There is no model “{plain(asked)}” here; {chosen.name} answers.")
    elif asked != chosen.name and (asked or chosen.name != names[0]):
        st.query_params[_PARAMETER] = chosen.name
    return chosen


def guarded(show: Callable[[], None]) -> None:
    """Show a page, or in words that the service cannot answer."""
    try:
        show()
    except Unavailable as error:
        say(error)


def say(trouble: Unavailable) -> None:
    """What is wrong, and a button that tries again; a service that is gone is waited for."""
    st.warning(full_stop(str(trouble)), icon=":material/cloud_off:")
    with st.container(horizontal=True, vertical_alignment="center", key="trouble"):
        st.button("Try again", key="again")
        if trouble.gone:
            _wait(time.monotonic())


@st.fragment(run_every=_EVERY)
def _wait(since: float) -> None:
    """Go on as soon as the service is back, but not in the moment in which it was found gone."""
    st.caption("The page goes on by itself as soon as the service is back.")
    if time.monotonic() - since > _EVERY / 2 and service().is_back():
        st.rerun()
