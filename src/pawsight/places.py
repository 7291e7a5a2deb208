"""Where pawsight keeps what it has of its own on a machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The user's data folder: ``$XDG_DATA_HOME/pawsight``, by default below ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pawsight"
