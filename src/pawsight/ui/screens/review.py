"""The pictures whose right answer would teach most, one after another, by keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import streamlit as st

from pawsight.labels import NEITHER, WRONG
from pawsight.ui import cards, decisions
from pawsight.ui.desk import MOST_DECIDED, Desk, digest_of
from pawsight.ui.feedback import MOST_BUTTONS, named, noted, to_say
from pawsight.ui.preview import preview
from pawsight.ui.service import Answer, RecordedAnswer, Refused, ReviewItem, Service, Unavailable
from pawsight.ui.shell import heading, service
from pawsight.ui.tables import table
from pawsight.ui.words import full_stop, said, verdict

_TAB: Final = "review-tab"
_MODELS: Final = "review-models"
_CHOICE_WIDTH: Final = 360  # pixels
_KEYS: Final = {NEITHER: "N", WRONG: "W"}


def show() -> None:
    """Show the page."""
    heading(
        "What should it learn next?",
        "First the pictures about which the models disagree, then those they are least sure of.",
    )
    asked = service()
    if _TAB not in st.session_state:  # the page was turned to just now
        _clear_desk()
    looking, decided = st.tabs(["To look at", "Decided"], key=_TAB, on_change="rerun")
    with looking:
        if looking.open:
            try:
                _queue(asked)
            except Unavailable:  # it may know by now what the page does not
                _clear_desk()
                raise
    with decided:
        if decided.open:
            decisions.show(asked, asked.decided(MOST_DECIDED))


def _queue(asked: Service) -> None:
    skipped: list[str] = st.session_state.setdefault("skipped", [])
    desk, item = _on_desk(asked, skipped, _about(asked))
    queue = [each for each in desk.waiting if digest_of(each) not in skipped]
    kept = [each for each in queue if each.answers[0].picture]
    if item is None:
        _nothing(queue, skipped)
    else:
        decided = len(desk.decided)
        parts = [f"{len(kept)}{' or more' if desk.more else ''} to look at"]
        if len(queue) > len(kept):
            parts.append(f"{len(queue) - len(kept)} whose picture is not kept")
        if skipped:
            parts.append(f"{len(skipped)} skipped")
        if decided:
            parts.append(f"{decided}{' or more' if decided >= MOST_DECIDED else ''} decided")
        count = st.empty()
        _look(asked, item)
        # Once this is to be read, the keys are about the picture that it counts.
        count.caption(f"{', '.join(parts)}.")
    if words := st.session_state.pop("noted", ""):
        st.caption(words)
    if st.session_state.get("reviewed"):
        st.button(
            "Back to the last one", key="back", shortcut="B", type="tertiary", on_click=_reopen
        )
    elif "reopened" in st.session_state:
        st.caption("This is the first one: there is nothing further back.")


def _about(asked: Service) -> str | None:
    """The model whose labels are looked at; asked for where the service's models know others."""
    of_labels: dict[frozenset[str], str] | None = st.session_state.get(_MODELS)
    if of_labels is None:
        of_labels = {frozenset(each.labels): each.name for each in asked.models()}
        st.session_state[_MODELS] = of_labels
    if len(of_labels) < 2:
        return None
    chosen = st.selectbox(
        "Only what models answered that know",
        of_labels,
        index=None,
        placeholder="All models",
        format_func=lambda labels: ", ".join(sorted(labels)),
        key="review-about",
        width=_CHOICE_WIDTH,
        on_change=_turn_to_others,
    )
    return of_labels[chosen] if chosen else None


def _turn_to_others() -> None:
    for name in ("reopened", "reviewed"):
        st.session_state.pop(name, None)


def _on_desk(
    asked: Service, skipped: list[str], model: str | None
) -> tuple[Desk, ReviewItem | None]:
    """What lies on the desk, and what is looked at; where nothing is left, more is fetched."""
    desk: Desk | None = st.session_state.get("desk")
    item: ReviewItem | None = st.session_state.get("reopened")
    if desk and desk.model == model and (item := item or desk.first(skipped)):
        return desk, item
    desk = st.session_state["desk"] = Desk(asked, len(skipped), model)
    return desk, item or desk.first(skipped)


def _clear_desk() -> None:
    for name in ("desk", _MODELS):
        st.session_state.pop(name, None)


def _nothing(queue: Sequence[ReviewItem], skipped: list[str]) -> None:
    if queue:
        st.info(
            f"{'1 answer waits' if len(queue) == 1 else f'{len(queue)} answers wait'}, but without "
            "a picture: the service keeps all of them with PAWSIGHT_KEEP_PICTURES=all."
        )
    elif not skipped:
        st.info("Nothing is left to look at. What is answered from now on comes here.")
    if skipped:
        many = f"{len(skipped)} that were" if len(skipped) > 1 else "one that was"
        st.button(f"Show the {many} skipped", on_click=skipped.clear)
    st.button("Look again", key="look-again")


def _look(asked: Service, item: ReviewItem) -> None:
    first = item.answers[0]
    data = asked.kept_picture(first.id)
    with st.container(key="answer"), st.container(key="card-review"):
        with st.container(key="frame-review"):
            st.html(cards.picture("The picture to look at", preview(data)))
        with st.container(key="words-review"):
            st.html(f'<div class="paw-said"><h2>{escape(_question(item.answers))}</h2></div>')
            st.html(_answers(item.answers))
            with st.container(key="decide"):
                labels = to_say(item.answers)
                for number, label in enumerate(_with_buttons(labels), 1):
                    key = _KEYS.get(label, str(number) if number < 10 else None)
                    st.button(
                        named(label),
                        key=f"decide-{label}",
                        shortcut=key,
                        width="stretch",
                        on_click=_decide,
                        args=(asked, item, labels[label].id, label),
                    )
                _others(asked, item, labels)
                st.button(
                    "Skip",
                    key="skip",
                    type="tertiary",
                    shortcut="S",
                    width="stretch",
                    on_click=_skip,
                    args=(item,),
                )


def _with_buttons(labels: Mapping[str, RecordedAnswer]) -> list[str]:
    """All labels, or of many the likeliest and those that are none, in their order."""
    shares = {label: each.probabilities.get(label, 1.0) for label, each in labels.items()}
    likeliest = sorted(labels, key=lambda label: -shares[label])[:MOST_BUTTONS]
    return [label for label in labels if label in likeliest]


def _others(asked: Service, item: ReviewItem, labels: Mapping[str, RecordedAnswer]) -> None:
    """The labels that have no button, in a list."""
    shown = _with_buttons(labels)
    others = [label for label in labels if label not in shown]
    if not others:
        return
    key = f"other-{digest_of(item)}"

    def chosen() -> None:
        if label := st.session_state[key]:
            _decide(asked, item, labels[label].id, label)

    st.selectbox(
        "Another label", others, index=None, placeholder="Choose", key=key, on_change=chosen
    )


def _decide(asked: Service, item: ReviewItem, id_: str, label: str) -> None:
    try:
        said = asked.say(id_, label)
    except (Refused, Unavailable) as error:
        st.session_state["noted"] = full_stop(f"not noted: {error}")
        _clear_desk()
    else:
        _next(item)
        if desk := st.session_state.get("desk"):
            desk.put_away(item)
        st.session_state["noted"] = noted(said.label)


def _skip(item: ReviewItem) -> None:
    st.session_state["skipped"].append(digest_of(item))
    _next(item)


def _next(item: ReviewItem) -> None:
    reviewed: list[ReviewItem] = st.session_state.setdefault("reviewed", [])
    reviewed.append(item)
    st.session_state.pop("reopened", None)


def _reopen() -> None:
    item = st.session_state["reopened"] = st.session_state["reviewed"].pop()
    if digest_of(item) in st.session_state["skipped"]:
        st.session_state["skipped"].remove(digest_of(item))


def _question(answers: Sequence[Answer]) -> str:
    return "What is this?" if len(answers) == 1 else verdict(answers)


def _answers(answers: Sequence[RecordedAnswer]) -> str:
    rows = [[each.model.name, said(each)] for each in answers]
    return table(("model", "says"), rows, "What the models said", words=True)
