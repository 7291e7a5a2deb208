"""Pictures in, sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final

import streamlit as st

from pawsight.ui import cards
from pawsight.ui.asking import Asked, ask, ask_all
from pawsight.ui.feedback import ask_whether_right
from pawsight.ui.overlays import explain
from pawsight.ui.pictures import Picture, given, small
from pawsight.ui.service import Model, Service, Unavailable
from pawsight.ui.shell import choose_model, heading, known_models, say, service
from pawsight.ui.words import Outcome, as_csv, as_json, full_stop, question, summary

A_PAGE: Final = 12
"""Cards that are shown at once."""
_NOT_WHOLE: Final = "Not asked: of so many pictures this one is kept only small. Give it again."


def show() -> None:
    """Show the page."""
    models, trouble = known_models()
    title, notice = st.container(), st.container()
    pictures = given("classify", many=True)
    chosen = choose_model(models) if models else None
    labels = [each.labels for each in (chosen, *models) if each and each.labels]
    with title:
        heading(question(labels[0] if labels else ()))
    if chosen:
        st.caption(chosen.description)
        if not trouble:
            trouble = _answer_all(chosen, pictures)
    if trouble:
        with notice:
            say(trouble)
    if chosen and pictures:
        _show(chosen, pictures, gone=bool(trouble))


def _answer_all(model: Model, pictures: Sequence[Picture]) -> Unavailable | None:
    """Ask about every picture not asked about yet; returns what is wrong, if something is."""
    outcomes: dict[Asked, Outcome] = st.session_state.setdefault("outcomes", {})
    here = {each.key for each in pictures}
    for key in [key for key in outcomes if key[0] not in here]:
        del outcomes[key]
    waiting = [each for each in pictures if each.is_whole and _asked(model, each) not in outcomes]
    if not waiting:
        return None
    asked = service()
    progress = st.progress(0.0)
    numbers = count(1)

    def answered(picture: Picture, outcome: Outcome) -> None:
        outcomes[_asked(model, picture)] = outcome
        done = next(numbers)
        progress.progress(done / len(waiting), f"{done} of {len(waiting)}: {picture.name}")

    try:
        ask_all(lambda each: ask(asked, model.name, each), waiting, answered)
    except Unavailable as error:
        return error
    finally:
        progress.empty()
    return None


def _asked(model: Model, picture: Picture) -> Asked:
    return picture.key, model.name, model.version


def _show(model: Model, pictures: Sequence[Picture], *, gone: bool) -> None:
    known: dict[Asked, Outcome] = st.session_state.get("outcomes", {})
    not_yet = "Not asked yet." if gone else ""
    found = [
        (
            each,
            known.get(_asked(model, each))
            or Outcome(each.name, error=not_yet if each.is_whole else _NOT_WHOLE),
        )
        for each in pictures
    ]
    outcomes = [outcome for _, outcome in found]
    with st.container(horizontal=True, vertical_alignment="center", key="summary"):
        st.markdown(summary(outcomes))
        with st.container(horizontal=True, width="content", wrap=False, key="take-along"):
            for kind, data in (("csv", as_csv(outcomes)), ("json", as_json(outcomes))):
                st.download_button(
                    kind.upper(),
                    data,
                    f"pawsight.{kind}",
                    icon=":material/download:",
                    on_click="ignore",
                )
    if len(found) > A_PAGE:
        found = _page_of(found)
    with st.container(key="answer" if len(pictures) == 1 else "answers"):
        for picture, outcome in found:
            _card(service(), picture, outcome, alone=len(pictures) == 1)


def _page_of(found: list[tuple[Picture, Outcome]]) -> list[tuple[Picture, Outcome]]:
    """Those of one label, if somebody chose it, and of these the page that is turned up."""
    labels = sorted({_label(outcome) for _, outcome in found})
    only = st.pills("Only", labels, selection_mode="multi", key="only")
    left = [each for each in found if not only or _label(each[1]) in only]
    pages = -(-len(left) // A_PAGE)
    number = st.pagination(pages, key=f"page-{pages}") if pages > 1 else 1
    return left[(number - 1) * A_PAGE : number * A_PAGE]


def _label(outcome: Outcome) -> str:
    return outcome.answer.label if outcome.answer else "no answer"


@st.fragment
def _card(asked: Service, picture: Picture, outcome: Outcome, *, alone: bool) -> None:
    """A picture, what was said of it, and what can be done about that."""
    answer = outcome.answer
    uri = small(picture) if answer or not picture.is_whole else ""
    with st.container(key=f"card-{picture.key}"):
        frame = st.container(key=f"frame-{picture.key}")
        with st.container(key=f"words-{picture.key}"):
            st.html(cards.said(outcome, picture.credit))
            why = False
            if answer:
                with st.container(
                    horizontal=True, key=f"do-{picture.key}", vertical_alignment="center"
                ):
                    if picture.is_whole:
                        why = st.toggle("Why?", key=f"why-{picture.key}")
                    ask_whether_right(asked, answer, picture)
            about = st.container()
        with frame:
            if not why or answer is None or not uri:
                st.html(cards.picture(picture.name, uri, answered=answer is not None))
                return
            try:
                overlay, words = explain(asked, answer.model, picture.key, picture.read())
            except Unavailable as error:
                overlay, words = "", full_stop(str(error))
            if overlay:
                st.html(cards.overlaid(picture.name, uri, overlay, f"over-{picture.key}"))
            else:
                st.html(cards.picture(picture.name, uri))
        with about:
            if overlay:
                share = st.slider("Overlay", 0, 100, 70, format="%d%%", key=f"much-{picture.key}")
                st.html(cards.opacity(f"over-{picture.key}", share / 100))
            st.caption(words)
