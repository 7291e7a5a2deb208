"""A training that is under way, as one watches it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pawsight.ui import charts
from pawsight.ui.service import Job, Refused, Service, Unavailable
from pawsight.ui.words import full_stop, right

_EVERY: Final = 2.0  # seconds
_STATES: Final = {
    "queued": "waits for its turn",
    "running": "is being trained",
    "done": "is trained",
    "failed": "was not trained",
    "cancelled": "was cancelled",
}


def watch(asked: Service, id_: str) -> None:
    """Show a training, and what is new of it every two seconds until it ends."""
    open_ = asked.job(id_).is_open
    st.fragment(_watched, run_every=_EVERY if open_ else None)(asked, id_, was_open=open_)


def _watched(asked: Service, id_: str, *, was_open: bool) -> None:
    try:
        job = asked.job(id_)
    except Unavailable as error:
        st.warning(full_stop(f"{full_stop(str(error))} It is asked again."))
        return
    if was_open and not job.is_open:
        st.rerun()
    with st.container(border=True, key="training-now"):
        st.subheader(f"{job.name} {_STATES[job.state]}", anchor=False)
        if job.is_open:
            _progress(job)
        if job.message:
            st.caption(full_stop(job.message))
        _curves(job)
        if job.result:
            _result(asked, job)
        elif job.is_open:
            st.button("Cancel", key="cancel", on_click=_cancel, args=(asked, id_))
            if trouble := st.session_state.pop("not-cancelled", ""):
                st.warning(trouble)


def _progress(job: Job) -> None:
    if job.epochs:
        st.progress((job.epoch or 0) / job.epochs, f"Epoch {job.epoch or 0} of {job.epochs}")
    elif job.state == "running":
        st.progress(0.0, "A head takes some seconds, and a little for each picture.")


def _curves(job: Job) -> None:
    if not job.curves:
        return
    both = (("val", "validation"), ("train", "training"))
    for column, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        rows = [
            {"epoch": each.epoch, "value": value, "model": name}
            for each in job.curves
            for short, name in both
            if (value := getattr(each, f"{short}_{what}")) is not None
        ]
        if rows:
            with column:
                st.vega_lite_chart(
                    None,
                    charts.losses(rows, what),
                    height=240,
                    width="stretch",
                    alt=f"The {what} of each epoch, in training and in validation",
                )


def _result(asked: Service, job: Job) -> None:
    result = job.result
    if result is None:
        return
    if trouble := st.session_state.pop("not-removed", ""):
        st.warning(trouble)
    if result.model not in [each.name for each in asked.models()]:
        st.caption(
            f"{result.model} does not answer any more. Where it was removed, `pawsight models back "
            f"{result.model}` and a new start of the service bring it back."
        )
        return
    if result.accuracy is not None:
        st.markdown(
            f"Right about **{right(result.accuracy, result.pictures)}** pictures that it was not "
            "trained on."
        )
    st.page_link(
        st.session_state["page-classify"],
        label=f"Classify with {result.model}",
        icon=":material/arrow_forward:",
        query_params={"model": result.model},
    )
    with st.popover("Remove", icon=":material/delete:"):
        st.markdown(f"{result.model} will answer nobody any more, and its name is free again.")
        st.button("Remove it", key="remove", on_click=_remove, args=(asked, result.model))


def _remove(asked: Service, model: str) -> None:
    try:
        asked.remove(model)
    except (Refused, Unavailable) as error:
        st.session_state["not-removed"] = full_stop(f"not removed: {error}")


def _cancel(asked: Service, id_: str) -> None:
    try:
        asked.cancel(id_)
    except Unavailable as error:
        st.session_state["not-cancelled"] = full_stop(f"not cancelled: {error}")
