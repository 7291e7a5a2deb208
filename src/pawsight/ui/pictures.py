"""Where pictures come from: dropped, chosen, pasted, taken, or the examples; and how they stay.

They stay for the session, whatever page is looked at: Streamlit's uploader forgets its files as
soon as another page is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pawsight.ui import cards
from pawsight.ui.preview import preview

FORMATS: Final = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
MOST_BYTES: Final = 64_000_000
"""Of pictures that a page keeps whole while another is looked at."""
MOST: Final = 1000
"""Pictures that it keeps anything of."""
SMALL: Final = 240
"""Pixels of the longer side of what is kept of one that is not whole."""
_PASTE: Final = Path(__file__).with_name("paste.js")
_FOLDER: Final = Path(__file__).with_name("examples")


@dataclass(frozen=True)
class Picture:
    """A picture that somebody gave.

    Attributes:
        key: Its own.
        name: Of its file.
        source: An upload, a file, what a camera took, or a data URI: all that is left of it.
        credit: Who made it, if it is an example.
    """

    key: str
    name: str
    source: UploadedFile | Path | str = field(repr=False)
    credit: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it can be read; otherwise it can only be shown, and small."""
        return not isinstance(self.source, str)

    @property
    def size(self) -> int:
        """How many bytes of memory it takes."""
        if isinstance(self.source, Path):
            return 0
        return len(self.source) if isinstance(self.source, str) else self.source.size

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            ValueError: It is not whole.
        """
        match self.source:
            case Path() as file:
                return file.read_bytes()
            case UploadedFile() as upload:
                return upload.getvalue()
        raise ValueError(f"of {self.name} only a small picture is left")


EXAMPLES: Final = tuple(
    Picture(f"example-{name.removesuffix('.jpg')}", name, _FOLDER / name, credit)
    for name, credit in (
        ("cat.jpg", "Chelsea, by Stéfan van der Walt (CC0)"),
        ("coffee.jpg", "Coffee, by Rachel Michetti (CC0)"),
        ("rocket.jpg", "Falcon 9, by SpaceX (CC0)"),
    )
)
"""Those of ``examples/`` in the repository, which says more of their sources."""


@dataclass
class _Given:
    """Of a page: the pictures since it was turned to, those from before, and its uploader's."""

    now: list[Picture] = field(default_factory=list)
    before: list[Picture] = field(default_factory=list)
    uploaded: set[str] = field(default_factory=set)


def _given(key: str) -> _Given:
    there: _Given = st.session_state.setdefault(f"{key}-given", _Given())
    return there


def given(key: str, *, many: bool) -> list[Picture]:
    """Ask for pictures; those that there are, the ones from before last.

    Args:
        key: Of the page: each has its own.
        many: Whether there may be more than one; of several, the one that was given last counts
            otherwise.
    """
    there = _given(key)
    if f"{key}-pictures" not in st.session_state:  # the uploader is a new one
        there.before, there.now = there.before + there.now, []
        there.uploaded.clear()
    label = f"Drop {'pictures' if many else 'a picture'} here, paste, or choose: {FORMATS}"
    with st.container(key=f"drop-{key}"):
        files = st.file_uploader(label, accept_multiple_files=True, key=f"{key}-pictures")
    st.html(f"<script>{_PASTE.read_text('utf-8')}</script>", unsafe_allow_javascript=True)
    _follow(there, files)
    pictures = [*there.now, *there.before]
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
        elif len(pictures) > len(files):
            words = "Without the earlier ones" if files else "Start again"
            st.button(
                words, icon=":material/close:", key=f"{key}-clear", on_click=_clear, args=(there,)
            )
    if not pictures:
        st.html(cards.strip([(each.name, small(each), each.credit) for each in EXAMPLES]))
    return pictures if many else (there.now or there.before)[-1:]


def _follow(there: _Given, files: Sequence[UploadedFile]) -> None:
    """Take what is new in the uploader, and leave out what was taken from it."""
    now = {each.file_id for each in files}
    removed, there.uploaded = there.uploaded - now, now
    there.now = [each for each in there.now if each.key not in removed]
    known = {each.key for each in (*there.now, *there.before)}
    there.now += [
        Picture(each.file_id, each.name, each) for each in files if each.file_id not in known
    ]


def _clear(there: _Given) -> None:
    """Leave only what stands in the uploader."""
    there.now = [each for each in there.now if each.key in there.uploaded]
    there.before = []


def keep(key: str, pictures: Sequence[Picture]) -> None:
    """Add pictures to those of a page."""
    there = _given(key)
    known = {each.key for each in (*there.now, *there.before)}
    there.now += [each for each in pictures if each.key not in known]


def put_away(key: str) -> None:
    """Bound what a page that is not looked at keeps in memory.

    The latest pictures stay whole, as far as :data:`MOST_BYTES` go; of others a small picture
    stays, and of no more than :data:`MOST` anything.
    """
    there = _given(key)
    there.now, there.before = [], _bounded([*there.before, *there.now])


def _bounded(pictures: Sequence[Picture]) -> list[Picture]:
    kept, size = [], 0
    for each in reversed(pictures[-MOST:]):
        size += each.size
        if each.is_whole and size > MOST_BYTES:
            kept.append(replace(each, source=preview(each.read(), SMALL)))
        else:
            kept.append(each)
    return kept[::-1]


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
    if isinstance(picture.source, str):
        return picture.source
    return _small(picture.key, picture)
