"""Names → model folders."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pawsight.inference.artifact import CARD_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import UnknownModel

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What a model's name looks like."""
_EMBEDDED = Path(str(files("pawsight") / "weights"))


@dataclass(frozen=True)
class Entry:
    """A model that can be loaded.

    Attributes:
        name: What it is asked for by.
        path: Its folder.
        source: ``embedded``, ``installed``, or ``local`` for a folder that was named by path.
    """

    name: str
    path: Path
    source: str

    def open(self) -> ModelFolder:
        """Read the folder and verify its files, without loading the network.

        Raises:
            BrokenModel: It is incomplete or was changed.
        """
        return ModelFolder.open(self.path)

    def load(self, *, threads: int | None = None, may_lose: float | None = None) -> Classifier:
        """Open, verify and load the folder.

        Args:
            threads: As for :class:`Classifier`.
            may_lose: Likewise.

        Raises:
            BrokenModel: It is incomplete, was changed, or answers otherwise than when trained.
            ModelError: No threshold is known that loses so little.
        """
        return Classifier(
            self.open(),
            name=self.name,
            source=self.source,
            threads=threads,
            may_lose=may_lose,
        )


def installed_models() -> Path:
    """Where pulled and installed models live: ``$PAWSIGHT_MODELS``, else the user's data folder."""
    chosen = os.environ.get("PAWSIGHT_MODELS")
    if chosen:
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pawsight" / "models"


def resolve(name: str) -> Entry:
    """Find a model by name or by the path of its folder.

    A name is looked up among the installed models, then among the embedded ones: `pretrained` is
    the embedded Vision Transformer until `pawsight models pull pretrained` has brought another.
    Anything with a path separator, or that is a folder with a card, is a path.

    Raises:
        UnknownModel: It is not found; says what there is.
    """
    if NAME.fullmatch(name):
        for home, source in _homes():
            if _has_card(home / name):
                return Entry(name, home / name, source)
    path = Path(name)
    if name and _has_card(path):
        return Entry(path.resolve().name, path, "local")
    there = ", ".join(entry.name for entry in available())
    raise UnknownModel(
        f"no model {name[:80]!r}: there are {there or 'none'}; a model folder is named by its "
        f"path, which must hold a {CARD_FILE}"
    )


def _homes() -> tuple[tuple[Path, str], ...]:
    """Where models have names, and what such a model's source is called; the first found wins."""
    return (installed_models(), "installed"), (_EMBEDDED, "embedded")


def _has_card(folder: Path) -> bool:
    try:
        return (folder / CARD_FILE).is_file()
    except OSError:  # too long a name, or a folder that may not be looked into
        return False


def available() -> list[Entry]:
    """Every model that can be loaded by name on this machine, each name once."""
    found: dict[str, Entry] = {}
    for home, source in _homes():
        for card in sorted(home.glob(f"*/{CARD_FILE}")):
            name = card.parent.name
            if NAME.fullmatch(name):
                found.setdefault(name, Entry(name, card.parent, source))
    return [found[name] for name in sorted(found)]


def load(
    name: str = "custom", *, threads: int | None = None, may_lose: float | None = None
) -> Classifier:
    """Load a model by name (``custom``, ``pretrained``) or by the path of its folder.

    Args:
        name: See :func:`resolve`.
        threads: Of the network; by default all processors that the process may use.
        may_lose: The part of pictures of the classes that may be called ``neither``, in [0, 1]; by
            default the model's own choice. 0 never answers ``neither``.

    Raises:
        UnknownModel: Nothing of that name.
        BrokenModel: A folder that does not prove itself.
        ModelError: The model knows no threshold that loses so little.
    """
    return resolve(name).load(threads=threads, may_lose=may_lose)
