"""Where pictures come from: dropped, chosen, pasted, taken, or the examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pawsight.ui import cards
from pawsight.ui.preview import preview

FORMATS: Final = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
_PASTE: Final = Path(__file__).with_name("paste.js")
_FOLDER: Final = Path(__file__).with_name("examples")


@dataclass(frozen=True)
class Picture:
    """A picture that somebody gave.

    Attributes:
        key: Its own.
        name: Of its file.
        source: An upload, a file, or what a camera took.
        credit: Who made it, if it is an example.
    """

    key: str
    name: str
    source: UploadedFile | Path = field(repr=False)
    credit: str = ""

    def read(self) -> bytes:
        """Its bytes."""
        if isinstance(self.source, Path):
            return self.source.read_bytes()
        return self.source.getvalue()


EXAMPLES: Final = tuple(
    Picture(f"example-{name.removesuffix('.jpg')}", name, _FOLDER / name, credit)
    for name, credit in (
        ("cat.jpg", "Chelsea, by Stéfan van der Walt (CC0)"),
        ("coffee.jpg", "Coffee, by Rachel Michetti (CC0)"),
        ("rocket.jpg", "Falcon 9, by SpaceX (CC0)"),
    )
)
"""Those of ``examples/`` in the repository, which says more of their sources."""


def given(key: str, *, many: bool) -> list[Picture]:
    """Ask for pictures; those that there are.

    Args:
        key: Of the page: each has its own.
        many: Whether there may be more than one; of several, the last one counts otherwise.
    """
    taken: list[Picture] = st.session_state.setdefault(f"{key}-taken", [])
    label = f"Drop {'pictures' if many else 'a picture'} here, paste, or choose: {FORMATS}"
    with st.container(key=f"drop-{key}"):
        files = st.file_uploader(label, accept_multiple_files=True, key=f"{key}-pictures")
    st.html(f"<script>{_PASTE.read_text('utf-8')}</script>", unsafe_allow_javascript=True)
    pictures = [*(Picture(each.file_id, each.name, each) for each in files), *taken]
    with st.container(horizontal=True, key=f"sources-{key}", vertical_alignment="center"):
        if st.button("Camera", icon=":material/photo_camera:", key=f"{key}-camera"):
            _camera(key)
        if not pictures:
            st.button(
                "Try the examples",
                icon=":material/image:",
                key=f"{key}-examples",
                on_click=keep,
                args=(key, EXAMPLES if many else EXAMPLES[:1]),
            )
        elif taken:
            words = "Without the taken ones" if files else "Start again"
            st.button(words, icon=":material/close:", key=f"{key}-clear", on_click=taken.clear)
    if not pictures:
        st.html(cards.strip([(each.name, small(each), each.credit) for each in EXAMPLES]))
    return pictures if many else pictures[-1:]


def keep(key: str, pictures: Sequence[Picture]) -> None:
    """Add pictures to those of a page."""
    taken: list[Picture] = st.session_state.setdefault(f"{key}-taken", [])
    there = {each.key for each in taken}
    taken += [each for each in pictures if each.key not in there]


@st.dialog("Take a picture")
def _camera(key: str) -> None:
    picture = st.camera_input("Camera", label_visibility="collapsed", key=f"{key}-taking")
    if picture and st.button("Use it", type="primary", key=f"{key}-use"):
        keep(key, [Picture(picture.file_id, "camera.jpg", picture)])
        st.rerun()


@st.cache_data(max_entries=400, show_spinner=False)
def _small(key: str, _picture: Picture) -> str:
    return preview(_picture.read())


def small(picture: Picture) -> str:
    """A data URI of the picture, for cards; empty where it cannot be made."""
    return _small(picture.key, picture)
