"""The application's frame. Run by ``streamlit run``; see :mod:`pawsight.ui.launch`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from pawsight.ui.pictures import put_away
from pawsight.ui.screens import about, classify, compare, insights, review, train
from pawsight.ui.shell import carry_choice, guarded

_STYLE: Final = Path(__file__).with_name("page.css")
_SCRIPTS: Final = "".join(
    f"<script>{Path(__file__).with_name(name).read_text('utf-8')}</script>"
    for name in ("menu.js", "uploads.js")
)
_LOGO: Final = Path(__file__).with_name("logo.svg")


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="pawsight", page_icon="🐾", layout="wide")
    st.html(_STYLE)
    st.html(_SCRIPTS, unsafe_allow_javascript=True)
    st.logo(str(_LOGO), size="large")
    first = st.Page(classify.show, title="Classify", url_path="classify", default=True)
    st.session_state["page-classify"] = first  # for links of other pages
    others = {"Compare": compare, "Insights": insights, "Review": review, "Train": train,
              "About": about}  # fmt: skip
    pages = [
        st.Page(each.show, title=title, url_path=title.lower()) for title, each in others.items()
    ]
    page = st.navigation([first, *pages], position="top")
    st.set_page_config(page_title=f"{page.title} · pawsight")  # what tabs and bookmarks say
    carry_choice()
    guarded(page.run)
    for key in {"classify", "compare"} - {page.title.lower()}:
        put_away(key)


main()
