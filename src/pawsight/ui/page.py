"""The page: pictures in, sentences out. Run by ``streamlit run``; see :mod:`pawsight.ui.launch`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pawsight.ui.cards import card, header
from pawsight.ui.launch import API_VARIABLE, DEFAULT_API
from pawsight.ui.preview import preview
from pawsight.ui.service import Model, Refused, Service, Unavailable
from pawsight.ui.words import Outcome, as_csv, as_json, summary

_STYLE: Final = Path(__file__).with_name("page.css")
_UPLOAD: Final = "Drop pictures here, or choose them: JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"


def main() -> None:
    """Show the page."""
    st.set_page_config(page_title="pawsight", page_icon="🐾", layout="wide")
    st.html(_STYLE)
    service = _service(os.environ.get(API_VARIABLE, DEFAULT_API))
    trouble = _refresh_models(service)
    models: list[Model] = st.session_state.setdefault("models", [])
    heading, notice = st.container(), st.container()
    files = st.file_uploader(_UPLOAD, accept_multiple_files=True, key="pictures")
    model = _choose(models)
    labels = [each.labels for each in (model, *models) if each and each.labels]
    heading.html(header(labels[0] if labels else ()))
    if model and not trouble:
        trouble = _answer_all(service, model, files)
    if trouble:
        _say(notice, trouble)
    if model:
        _show([_known(model, file, trouble) for file in files])


@st.cache_resource
def _service(url: str) -> Service:
    return Service(url)


def _refresh_models(service: Service) -> str:
    """Ask which models there are; returns what is wrong, if something is.

    Those of last time are kept where the service is gone, so that its answers can still be shown.
    """
    try:
        st.session_state["models"] = service.models()
    except Unavailable as error:
        return str(error)
    return ""


def _choose(models: Sequence[Model]) -> Model | None:
    if not models:
        return None
    by_name = {model.name: model for model in models}
    name = st.radio(
        "Model",
        list(by_name),
        captions=[each.description for each in models],
        horizontal=True,
        key="model",
    )
    return by_name[name or models[0].name]


def _answer_all(service: Service, model: Model, files: Sequence[UploadedFile]) -> str:
    """Ask about every picture not asked about yet; returns what is wrong, if something is."""
    outcomes: dict[tuple[str, str], Outcome] = st.session_state.setdefault("outcomes", {})
    here = {file.file_id for file in files}
    for key in [key for key in outcomes if key[0] not in here]:
        del outcomes[key]
    waiting = [file for file in files if (file.file_id, model.name) not in outcomes]
    if not waiting:
        return ""
    progress = st.progress(0.0)
    try:
        for number, file in enumerate(waiting):
            progress.progress(number / len(waiting), f"{number + 1} of {len(waiting)}: {file.name}")
            outcomes[file.file_id, model.name] = _ask(service, model, file)
    except Unavailable as error:
        return f"{_sentence(str(error))} It had answered {number} of {len(waiting)} before."
    finally:
        progress.empty()
    return ""


def _ask(service: Service, model: Model, file: UploadedFile) -> Outcome:
    data = file.getvalue()
    try:
        answer = service.classify(model.name, data)
    except Refused as error:
        return Outcome(file.name, error=_sentence(str(error)))
    return Outcome(file.name, answer, preview=preview(data))


def _known(model: Model, file: UploadedFile, trouble: str) -> Outcome:
    outcomes: dict[tuple[str, str], Outcome] = st.session_state.get("outcomes", {})
    unanswered = Outcome(file.name, error="Not asked yet." if trouble else "")
    return outcomes.get((file.file_id, model.name), unanswered)


def _say(where: DeltaGenerator, trouble: str) -> None:
    with where:
        st.warning(_sentence(trouble), icon=":material/cloud_off:")
        st.button("Try again")


def _show(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="summary"):
        st.markdown(summary(outcomes))
        for kind, data in (("csv", as_csv(outcomes)), ("json", as_json(outcomes))):
            st.download_button(
                kind.upper(),
                data,
                f"pawsight.{kind}",
                icon=":material/download:",
                on_click="ignore",
            )
    with st.container(key="answer" if len(outcomes) == 1 else "answers"):
        for outcome in outcomes:
            st.html(card(outcome))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


main()
