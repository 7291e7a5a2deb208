"""Where pawsight keeps what it has of its own on a machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The user's data folder: ``$XDG_DATA_HOME/pawsight``, by default below ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pawsight"


def cache_folder() -> Path:
    """What can be made again: ``$XDG_CACHE_HOME/pawsight``, by default below ``~/.cache``."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pawsight"
