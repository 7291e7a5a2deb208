"""The pictures whose right answer would teach most, one after another, by keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape
from typing import Final, NamedTuple

import streamlit as st

from pawsight.labels import NEITHER, WRONG
from pawsight.plurals import counted
from pawsight.ui import cards
from pawsight.ui.desk import MOST_DECIDED, Desk, digest_of
from pawsight.ui.export import MOST, as_zip, kinds, left_out, to_train
from pawsight.ui.feedback import MOST_BUTTONS, named, noted, to_say
from pawsight.ui.preview import preview
from pawsight.ui.service import Answer, RecordedAnswer, Refused, ReviewItem, Service, Unavailable
from pawsight.ui.shell import heading, service
from pawsight.ui.tables import table
from pawsight.ui.words import decision, full_stop, moment, said, verdict

_TAB: Final = "review-tab"
_SHOWN: Final = 50
_EVERY: Final = 1.0  # seconds
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
            _decided(asked, asked.decided(MOST_DECIDED))


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
    of_labels: dict[frozenset[str], str] = {}
    for each in asked.models():
        of_labels.setdefault(frozenset(each.labels), each.name)
    if len(of_labels) < 2:
        return None
    chosen = st.selectbox(
        "What the models know",
        of_labels,
        index=None,
        placeholder="All of it",
        format_func=lambda labels: ", ".join(sorted(labels)),
        key="review-about",
        on_change=_turn_to_others,
    )
    return of_labels[chosen] if chosen else None


def _turn_to_others() -> None:
    for name in ("desk", "reopened", "reviewed"):
        st.session_state.pop(name, None)


def _on_desk(
    asked: Service, skipped: list[str], model: str | None
) -> tuple[Desk, ReviewItem | None]:
    """What lies on the desk, and what is looked at; where nothing is left, more is fetched."""
    desk: Desk | None = st.session_state.get("desk")
    item: ReviewItem | None = st.session_state.get("reopened")
    if desk and (item := item or desk.first(skipped)):
        return desk, item
    desk = st.session_state["desk"] = Desk(asked, len(skipped), model)
    return desk, item or desk.first(skipped)


def _clear_desk() -> None:
    st.session_state.pop("desk", None)


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


def _decided(asked: Service, answers: Sequence[RecordedAnswer]) -> None:
    if not answers:
        st.info("Nothing was decided yet.")
        return
    rows = [
        [
            moment((each.feedback or each).time),
            each.model.name,
            decision(each),
            named(each.feedback.label) if each.feedback else "",
            (each.feedback.comment or "") if each.feedback else "",
            "kept" if each.picture else "not kept",
        ]
        for each in answers[:_SHOWN]
    ]
    export = to_train(answers, _to_export(answers))
    decided, pictures = counted(len(answers), "answer"), counted(len(export), "picture")
    _summary(asked, export, f"{decided} decided, {pictures} to train on")
    head = ("decided", "model", "said", "right is", "comment", "picture")
    st.html(table(head, rows, "What was decided", words=True))
    if len(answers) > _SHOWN:
        st.caption(f"The latest {_SHOWN} are shown.")


class _Export(NamedTuple):
    """What is put together, by a thread of its own: whatever is done on the page meanwhile.

    Attributes:
        of: The answers and labels.
        made: The ZIP, and how many pictures are left out of it.
    """

    of: Sequence[tuple[RecordedAnswer, str]]
    made: Future[tuple[bytes, int]]


def _summary(
    asked: Service, export: Sequence[tuple[RecordedAnswer, str]], what_there_is: str
) -> None:
    """How much was decided, and a ZIP of it: put together at one click, and saved at another.

    Streamlit (1.67) can do both at one, but loses the file where the page is run meanwhile.
    """
    begun: _Export | None = st.session_state.get("export")
    if begun and begun.of != export:
        begun = st.session_state["export"] = None
    open_ = begun is not None and not begun.made.done()  # asked once: it may end at any moment
    with st.container(horizontal=True, vertical_alignment="center", key="summary"):
        st.markdown(what_there_is)
        if begun and not open_ and not begun.made.exception():
            st.download_button(
                "Save the ZIP",
                begun.made.result()[0],
                "corrections.zip",
                icon=":material/download:",
                on_click="ignore",
                key="save",
            )
        else:
            st.button(
                "Export",
                icon=":material/folder_zip:",
                help="A ZIP of the pictures and a table of their labels, as the page Train takes "
                f"it; no more than {MOST // 1_000_000} MB, the latest first: `pawsight feedback "
                "export` writes all.",
                disabled=not export or open_,
                on_click=_begin,
                args=(asked, export),
                key="export-now",
            )
    if begun:
        st.fragment(_said_of, run_every=_EVERY if open_ else None)(begun.made, was_open=open_)


def _begin(asked: Service, export: Sequence[tuple[RecordedAnswer, str]]) -> None:
    with_one_thread = ThreadPoolExecutor(1, "export")
    made = with_one_thread.submit(as_zip, export, asked.kept_picture)
    with_one_thread.shutdown(wait=False)
    st.session_state["export"] = _Export(export, made)


def _said_of(made: Future[tuple[bytes, int]], *, was_open: bool) -> None:
    """How an export stands; once it is made, the page is shown with it."""
    if not made.done():
        st.caption("The pictures are being put together.")
    elif was_open:
        st.rerun()
    elif isinstance(error := made.exception(), Refused | Unavailable):
        st.warning(full_stop(f"Not exported: {error}"))
    elif left := made.result()[1]:
        st.warning(left_out(left))


def _to_export(answers: Sequence[RecordedAnswer]) -> frozenset[str]:
    """The classes that the export is about: where models tell others apart, those that one takes.

    A table of them all would teach a model that what it calls a cat is a lion.
    """
    found = kinds(answers)
    if len(found) == 1:
        return found[0]
    chosen = st.selectbox(
        "To teach a model that knows",
        found,
        format_func=lambda classes: ", ".join(sorted(classes)),
        key="export-about",
    )
    return chosen or found[0]
