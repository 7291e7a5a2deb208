"""Why: what a model saw in a picture."""

from __future__ import annotations

import streamlit as st

from pawsight.ui.preview import preview
from pawsight.ui.service import ModelReference, Refused, Service

MARGIN = "The network was not shown a margin that has no colour."

METHODS = {
    "class activation map": "Each place's part in the answer; together they are the answer.",
    "occlusion": "How far the answer falls where a place is covered.",
}


@st.cache_data(max_entries=200, show_spinner="Asking why …")
def _explained(
    url: str, model: str, version: str, key: str, _service: Service, _picture: bytes
) -> tuple[str, str, str]:
    explained = _service.explain(model, _picture)
    return preview(explained.png), explained.explained, explained.method


def explain(service: Service, model: ModelReference, key: str, picture: bytes) -> tuple[str, str]:
    """The overlay of a picture as a data URI, empty if there is none, and words about it.

    Args:
        service: To ask.
        model: Which.
        key: Of the picture.
        picture: Its bytes.

    Raises:
        Unavailable: The service cannot answer.
    """
    try:
        overlay, label, method = _explained(
            service.url, model.name, model.version, key, service, picture
        )
    except Refused as error:
        return "", str(error)
    sentences = [f"Red spoke for {label}, blue against it.", METHODS.get(method, ""), MARGIN]
    return overlay, " ".join(filter(None, sentences))
