"""What was decided on the page Review, and a ZIP of it to train on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import streamlit as st

from pawsight.plurals import counted
from pawsight.ui.export import MOST, as_zip, kinds, left_out, to_train
from pawsight.ui.feedback import named
from pawsight.ui.service import RecordedAnswer, Refused, Service, Unavailable
from pawsight.ui.tables import table
from pawsight.ui.words import decision, full_stop, moment

_SHOWN: Final = 50
_EVERY: Final = 1.0  # seconds


def show(asked: Service, answers: Sequence[RecordedAnswer]) -> None:
    """Show the latest decisions, and how to export all.

    Args:
        asked: Where their pictures come from.
        answers: Those of which something was said, the latest first.
    """
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
