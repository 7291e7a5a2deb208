"""How good the models are: the report of an evaluation, live."""

from __future__ import annotations

import streamlit as st

from pawsight.ui import charts
from pawsight.ui.drift import drift_panel
from pawsight.ui.gallery import mistakes
from pawsight.ui.report import Counts, Measured, NoReport, Report, read, standing
from pawsight.ui.shell import heading, service
from pawsight.ui.tables import confusion, share, table
from pawsight.ui.words import full_stop

_MOST_LOST = 0.1
_HEIGHT = 320


def show() -> None:
    """Show the page."""
    heading("How good are they?", "Models measured on the same pictures.")
    with st.expander("Another report", icon=":material/upload_file:"):
        file = st.file_uploader("A report of `pawsight evaluate … --json report.json`", type="json")
    try:
        report = read(file.getvalue(), file.name) if file else standing()
    except NoReport as error:
        st.warning(full_stop(str(error)))
        return
    st.caption(f"{report.pictures:,} pictures: {report.data}. {report.trained_on}")
    _figures(report)
    if any(each.curves.classes for each in report.models):
        _thresholds(report)
    if any(each.curves.any for each in report.models):
        _neither(report)
    _confusions(report)
    _reliability_and_speed(report)
    _groups(report)
    mistakes(report)
    drift_panel(service())


def _figures(report: Report) -> None:
    rows = [
        [
            each.model,
            share(each.accuracy),
            _interval(each.accuracy_interval_95),
            share(each.ece),
            share(each.loses),
            share(each.catches),
            "–" if each.auroc is None else f"{each.auroc:.4f}",
            share(each.sent_on),
            "–" if each.megabytes is None else f"{each.megabytes:.0f} MB",
        ]
        for each in report.models
    ]
    head = (
        "model", "accuracy", "95 % interval", "calibration error", "called neither",
        "neither caught", "AUROC", "sent on", "size",
    )  # fmt: skip
    st.html(table(head, rows, "The figures of each model"))
    pairs = [
        f"{each.one} alone is right about {each.only_one}, {each.other} alone about "
        f"{each.only_other}: p = {each.p_value:.2g} (McNemar's test)."
        for each in report.comparisons
    ]
    if pairs:
        st.caption("  \n".join(pairs))


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"


@st.fragment
def _thresholds(report: Report) -> None:
    """ROC, and precision and recall, of one class, with a threshold that moves."""
    st.subheader("Where to draw the line", anchor=False)
    labels = list(dict.fromkeys(name for each in report.models for name in each.curves.classes))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.segmented_control("Class", labels, default=labels[0], required=True, key="class")
        corner = st.toggle("Only the corner", value=True, key="corner")
    at = st.slider(f"Called {label} from a probability of", 0.0, 1.0, 0.5, 0.01, key="threshold")
    counts = {
        each.model: each.curves.classes[label]
        for each in report.models
        if label in each.curves.classes
    }
    left, right = st.columns(2)
    with left:
        _chart(charts.roc(counts, at, corner=corner), f"ROC of {label} for each model")
    with right:
        _chart(
            charts.precision_recall(counts, at, corner=corner),
            f"Precision against recall of {label} for each model",
        )
    rows = [_at(name, each, at) for name, each in counts.items()]
    head = ("model", f"{label}, called so", f"others, called {label}", "precision", "recall")
    st.html(table(head, rows, f"At a threshold of {at:.2f}"))


def _at(name: str, counts: Counts, threshold: float) -> list[str]:
    true, false = counts.at(threshold)
    precision = share(true / (true + false)) if true + false else "–"
    return [
        name,
        f"{true} of {counts.positives}",
        f"{false} of {counts.negatives}",
        precision,
        share(true / counts.positives),
    ]


@st.fragment
def _neither(report: Report) -> None:
    """What rejecting catches, and what it costs."""
    st.subheader("What saying neither costs", anchor=False)
    percent = st.slider(
        "Of the classes' pictures, as many may be lost",
        0.0, 100 * _MOST_LOST, 1.0, 0.1, format="%.1f%%", key="may-lose",
    )  # fmt: skip
    counts = {each.model: each.curves.any for each in report.models if each.curves.any}
    left, right = st.columns(2, vertical_alignment="center")
    with left:
        _chart(
            charts.rejection(counts, percent / 100, _MOST_LOST),
            "What is caught of neither against what is lost of the classes",
        )
    rows = []
    for name, each in counts.items():
        true, false = each.losing(percent / 100)
        lost, caught = each.positives - true, each.negatives - false
        rows.append([name, f"{lost} of {each.positives}", f"{caught} of {each.negatives}"])
    with right:
        st.html(table(("model", "lost", "caught"), rows, f"If {percent:.1f} % may be lost"))


def _confusions(report: Report) -> None:
    st.subheader("What was answered", anchor=False)
    st.caption("Rows are what is right, columns what was said.")
    with st.container(key="confusions"):
        for each in report.models:
            st.html(confusion(each.model, each.confusion))


def _reliability_and_speed(report: Report) -> None:
    left, right = st.columns(2)
    bins = {each.model: each.curves.reliability for each in report.models}
    if any(bins.values()):
        with left:
            st.subheader("Does 90 % mean 90 %?", anchor=False)
            _chart(charts.reliability(bins), "The part that is right against confidence")
    if any(each.processor_milliseconds_a_picture and each.accuracy for each in report.models):
        with right:
            st.subheader("Speed against accuracy", anchor=False)
            _chart(charts.speed(report.models), "Accuracy against the time that a picture takes")


def _groups(report: Report) -> None:
    names = [(each.sort, each.name, each.pictures) for each in report.models[0].groups]
    if not names:
        return
    st.subheader("By kind and by shape", anchor=False)
    rows = [
        [name, str(pictures), *(_of(each, sort, name) for each in report.models)]
        for sort, name, pictures in names
    ]
    head = ("pictures that are", "how many", *(each.model for each in report.models))
    st.html(table(head, rows, "Accuracy by kind and by shape"))
    st.caption("The accuracy; of groups of neither alone, the part that is caught.")


def _of(model: Measured, sort: str, name: str) -> str:
    for each in model.groups:
        if (each.sort, each.name) == (sort, name):
            return share(each.catches if each.accuracy is None else each.accuracy)
    return "–"


def _chart(spec: charts.Spec, words: str) -> None:
    st.vega_lite_chart(None, spec, height=_HEIGHT, width="stretch", alt=words)
