"""Pictures of one's own in, a model out: by way of the service's trainings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pawsight.ui.packing import NoTable, packed
from pawsight.ui.service import (
    Dataset,
    Job,
    Model,
    Refused,
    Service,
    TrainingStatus,
    Unavailable,
)
from pawsight.ui.shell import chosen_of, heading, known_models, note_choice, service
from pawsight.ui.tables import table
from pawsight.ui.training import watch
from pawsight.ui.words import full_stop, moment

_MB: Final = 1 << 20  # bytes, as Streamlit counts
_MOST_PROBLEMS: Final = 50
_MANY: Final = 300
"""Files of an upload; of more, nobody sees at a glance whether one was lost on the way."""
_PARAMETER: Final = "job"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # as the service takes it
_ZIP, _FOLDER, _TABLE = "A ZIP", "A folder", "Pictures and a CSV"
_METHODS: Final = {"head": "A new head", "full": "A whole network"}
_HOW: Final = {
    _ZIP: "A ZIP of a folder for each label (cat/1.jpg, dog/1.jpg), or of pictures and one CSV.",
    _FOLDER: "A folder that has a folder for each label: cat/1.jpg, dog/1.jpg.",
    _TABLE: "The pictures, and one CSV with the columns path and label that names them.",
}


def show() -> None:
    """Show the page."""
    heading("Teach it your own", "Pictures with their labels in; a model that knows them out.")
    asked = service()
    status = asked.ready().training
    if status is None or status.status == "off":
        st.info(
            "Nothing is trained here. `pawsight serve --training` (or PAWSIGHT_TRAINING=true) "
            "switches it on.",
            icon=":material/info:",
        )
        return
    if status.status != "on":
        st.warning(full_stop(status.reason or "this service cannot train"))
        return
    jobs = asked.jobs()
    wanted = st.query_params.get(_PARAMETER)
    current = next((each for each in jobs if each.id == wanted), None)
    if current is None:
        if wanted:
            st.caption("That training is not here any more.")
        current = next((each for each in jobs if each.is_open), None)
    if current:
        watch(asked, current.id)
    _new(asked, known_models()[0], status)
    _others(asked, jobs, current)


def _new(asked: Service, models: Sequence[Model], status: TrainingStatus) -> None:
    st.subheader("New training", anchor=False)
    how = st.segmented_control(
        "What do you have?", list(_HOW), default=_ZIP, required=True, key="train-how"
    )
    files = _given(how, status.max_bytes)
    if not files:
        return
    dataset = _checked(asked, how, files)
    if dataset is None:
        return
    _report(dataset)
    if dataset.usable:
        _form(asked, dataset, models, status)


def _given(how: str, most: int | None) -> list[UploadedFile]:
    """What was chosen for the next training; of a ZIP no more bytes than the service takes."""
    number = st.session_state.get("train-round", 0)
    if how == _ZIP:
        limit = max(1, most // _MB) if most else None
        file = st.file_uploader(
            _HOW[how], type="zip", key=f"train-zip-{number}", max_upload_size=limit
        )
        return [file] if file else []
    files = st.file_uploader(
        _HOW[how],
        accept_multiple_files="directory" if how == _FOLDER else True,
        key=f"train-{'folder' if how == _FOLDER else 'table'}-{number}",
    )
    if len(files) > _MANY:
        st.caption(
            f"{len(files):,} files have arrived. If you chose more, the others were lost on the "
            "way: choose them again, or send a ZIP, which arrives whole or not at all."
        )
    return files


def _checked(asked: Service, how: str, files: Sequence[UploadedFile]) -> Dataset | None:
    """What the service says of the pictures, asked once; None while it said nothing."""
    key = tuple(each.file_id for each in files)
    known: dict[tuple[str, ...], Dataset] = st.session_state.setdefault("datasets", {})
    if key not in known:
        if not st.button("Check them", type="primary", key="check"):
            return None
        with st.spinner("Sending, and looking at every picture …"):
            try:
                known[key] = asked.send_dataset(
                    packed(files) if how != _ZIP else files[0].getvalue()
                )
            except (Refused, Unavailable, NoTable) as error:
                st.warning(full_stop(str(error)))
                return None
    return known[key]


def _report(dataset: Dataset) -> None:
    if rows := [[label, str(count)] for label, count in dataset.labels.items()]:
        st.html(table(("label", "pictures"), rows, "What can be used"))
    if dataset.problem_count:
        words = f"{dataset.problem_count} cannot be used"
        with st.expander(words, expanded=not rows, icon=":material/rule:"):
            problems = [[each.path, each.reason] for each in dataset.problems[:_MOST_PROBLEMS]]
            st.html(table(("file", "why"), problems, "What cannot be used", words=True))
    if not dataset.usable:
        st.warning(full_stop(dataset.why_not or "this cannot be trained on"))


def _form(
    asked: Service, dataset: Dataset, models: Sequence[Model], status: TrainingStatus
) -> None:
    networks = [each.name for each in models if each.name != "auto"]
    with st.container(border=True, key="training"):
        name = st.text_input("Name of the model", "my-model", max_chars=64, key="train-name")
        way = st.radio(
            "How",
            list(_METHODS.values()),
            captions=[
                "On what a model already sees: a few dozen pictures of each label, seconds.",
                "From random weights: thousands of pictures, hours.",
            ],
            key="train-way",
        )
        method = next(name for name, words in _METHODS.items() if words == way)
        start, epochs = _start(networks) if method == "head" else None, None
        if method == "full":
            # Without bounds: the page would go on with the number before where one is beyond them.
            epochs = st.number_input(
                f"Epochs, 1 to {status.max_epochs}",
                value=status.epochs, step=1, key="train-epochs",
            )  # fmt: skip
        if not st.button("Train", type="primary", key="train"):
            return
        if not _NAME.fullmatch(name):
            st.warning(
                "A name has lower-case letters, digits and . _ - and begins with one of the first "
                "two."
            )
            return
        try:
            job = asked.train(dataset.id, name, method, start, epochs)
        except (Refused, Unavailable) as error:
            st.warning(full_stop(str(error)))
            return
    st.query_params[_PARAMETER] = job.id
    # With nothing chosen any more, the training is what one sees.
    st.session_state["train-round"] = st.session_state.get("train-round", 0) + 1
    st.rerun()


def _start(networks: Sequence[str]) -> str:
    """The model whose features a new head takes; the choice stands in the address."""
    chosen = chosen_of(networks)
    name = st.selectbox(
        "On what this model sees",
        networks,
        index=networks.index(chosen) if chosen else 0,
        key="train-start",
    )
    if name is None:  # there is none
        return ""
    note_choice(name, networks)
    return name


def _others(asked: Service, jobs: Sequence[Job], current: Job | None) -> None:
    others = [each for each in jobs if current is None or each.id != current.id]
    if not others:
        return
    st.subheader("Trainings", anchor=False)
    for each in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"job-{each.id}"):
            st.markdown(f"**{each.name}**: {_when(each)}")
            st.button("Show", key=f"show-{each.id}", on_click=_turn_to, args=(each.id,))
            if not each.is_open:
                st.button(
                    "Remove",
                    key=f"remove-{each.id}",
                    help="From this list: its model stays.",
                    on_click=_remove,
                    args=(asked, each.id),
                )
    if trouble := st.session_state.pop("not-removed-job", ""):
        st.warning(trouble)


def _when(job: Job) -> str:
    """How a training stands, and since when."""
    if job.ended:
        return f"{job.state} at {moment(job.ended)}"
    return f"{job.state}, asked for at {moment(job.created)}"


def _remove(asked: Service, id_: str) -> None:
    try:
        asked.remove_job(id_)
    except (Refused, Unavailable) as error:
        st.session_state["not-removed-job"] = full_stop(f"not removed: {error}")


def _turn_to(id_: str) -> None:
    st.query_params[_PARAMETER] = id_
