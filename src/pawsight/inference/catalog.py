"""Names → model folders."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from pawsight.cpus import usable_cpus
from pawsight.inference.artifact import CARD_FILE, NETWORK_FILE, Card, Folder, ModelFolder
from pawsight.inference.cascade import Cascade
from pawsight.inference.cascade_card import CASCADE_FILE, CascadeFolder, Member
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import BrokenModel, ModelError, UnknownModel
from pawsight.inference.model import Model
from pawsight.inference.sealed import read_sealed
from pawsight.places import data_folder

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What a model's name looks like."""
_EMBEDDED = Path(str(files("pawsight") / "weights"))
_CARDS = (CARD_FILE, CASCADE_FILE)


log = logging.getLogger(__name__)


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

    @property
    def is_cascade(self) -> bool:
        """Whether the folder is that of a cascade, not of a network."""
        return not (self.path / CARD_FILE).is_file() and (self.path / CASCADE_FILE).is_file()

    def open(self) -> ModelFolder:
        """Open and verify the folder of a network.

        Raises:
            BrokenModel: It is incomplete or was changed.
            ModelError: It is that of a cascade.
        """
        if self.is_cascade:
            fast, strong = self.members()
            raise ModelError(
                f"{self.name!r} is a cascade, and what is wanted is one network: name "
                f"{fast.name!r} or {strong.name!r}"
            )
        return ModelFolder.open(self.path)

    def described(self) -> tuple[Folder[Any], tuple[ModelFolder, ...]]:
        """The verified folder with its card, and those of the networks that decide: itself, or a
        cascade's members.

        Raises:
            BrokenModel: One is incomplete or was changed, or a cascade's member is not there.
        """  # noqa: D205 - no shorter
        if not self.is_cascade:
            folder = ModelFolder.open(self.path)
            return folder, (folder,)
        return CascadeFolder.open(self.path), tuple(each.open() for each in self.members())

    def members(self) -> tuple[Entry, Entry]:
        """The fast and the strong model of a cascade.

        Raises:
            BrokenModel: The cascade is broken, or no model that is here is a member of it.
        """
        card = CascadeFolder.open(self.path).card
        return self._member(card.fast), self._member(card.strong)

    def _member(self, member: Member) -> Entry:
        """The first model of the member's name that is the one which thresholds were chosen for.

        A model that was installed under the name of an embedded one hides it from those who ask
        for the name, and not from a cascade.
        """
        if NAME.fullmatch(member.name):
            named = [Entry(member.name, home / member.name, source) for home, source in _homes()]
        else:
            place = self.path / member.name
            named = [Entry(place.resolve().name, place, "local")]
        others = []
        for entry in named:
            if (entry.path / CARD_FILE).is_file():
                card = read_sealed(entry.path / CARD_FILE, Card)
                if member.fits(card):
                    return entry
                others.append(f"{entry.source} {card.files[NETWORK_FILE][:12]}")
        raise BrokenModel(
            f"the thresholds of cascade {self.name!r} were chosen for {member.name} "
            f"{member.version}, and what is here is {', '.join(others) or 'no such model'}; "
            "`pawsight cascade --labels TABLE --images FOLDER --fast MODEL --strong MODEL --output "
            "FOLDER` chooses them anew"
        )


class Loader:
    """Loads models, and each network once, however many of the models ask it.

    Args:
        threads: Of each network; by default all processors that the process may use.
        provider: What has to run them, as for :class:`Classifier`.
        for_many: Whether they shall be ready to run several batches side by side.
    """

    def __init__(
        self, threads: int | None = None, provider: str | None = None, *, for_many: bool = False
    ) -> None:
        self._threads = threads
        self._for_many = for_many
        self._provider = provider
        self._begun: dict[Entry, Future[Classifier]] = {}
        # By folder and by what is in it, which may change while this runs; gone with the models.
        self._networks: WeakValueDictionary[tuple[Entry, str | None], Classifier] = (
            WeakValueDictionary()
        )

    def begin(self, entries: Iterable[Entry]) -> None:
        """Start to load some networks side by side; :meth:`load` waits for them.

        Args:
            entries: Of their folders; cascades among them are left to :meth:`load`.
        """
        pool = ThreadPoolExecutor(usable_cpus())
        for entry in entries:
            if not entry.is_cascade:
                self._begun[entry] = pool.submit(self._open, entry)
        pool.shutdown(wait=False)

    def load(self, entry: Entry, may_lose: float | None = None) -> Model:
        """Open, verify and load a folder.

        Args:
            entry: Of the folder.
            may_lose: As for :class:`Classifier`.

        Raises:
            BrokenModel: It is incomplete, was changed, or answers otherwise than when trained.
            ModelError: No threshold is known that loses so little.
        """
        if not entry.is_cascade:
            classifier = self._network(entry)
            if may_lose is not None:
                classifier.choose_threshold(may_lose)
            return classifier
        fast, strong = (self._member(each) for each in entry.members())
        return Cascade(
            CascadeFolder.open(entry.path),
            fast,
            strong,
            name=entry.name,
            source=entry.source,
            may_lose=may_lose,
        )

    def _member(self, entry: Entry) -> Classifier:
        """A network of a cascade. One that is loaded has proved itself: it is not read again."""
        seal = read_sealed(entry.path / CARD_FILE, Card).seal
        return self._networks.get(_key(entry, seal)) or self._network(entry)

    def _network(self, entry: Entry) -> Classifier:
        begun = self._begun.pop(entry, None)
        return begun.result() if begun else self._open(entry)

    def _open(self, entry: Entry) -> Classifier:
        folder = entry.open()
        key = _key(entry, folder.card.seal)
        network = self._networks.get(key)
        if network is None:
            network = Classifier(
                folder,
                name=entry.name,
                source=entry.source,
                threads=self._threads,
                provider=self._provider,
                for_many=self._for_many,
            )
            self._networks[key] = network
        return network


def _key(entry: Entry, seal: str | None) -> tuple[Entry, str | None]:
    return replace(entry, path=entry.path.resolve()), seal


def installed_models() -> Path:
    """Where pulled and installed models live: ``$PAWSIGHT_MODELS``, else the user's data folder."""
    chosen = os.environ.get("PAWSIGHT_MODELS")
    if chosen:
        return Path(chosen)
    return data_folder() / "models"


def resolve(name: str | Path) -> Entry:
    """Find a model by name or by the path of its folder.

    A name is looked up among the installed models, then among the embedded ones: `pretrained` is
    the embedded Vision Transformer until `pawsight models pull pretrained` has brought another.
    Anything with a path separator, or that is a folder with a card, is a path; so is a ``Path``.

    Raises:
        UnknownModel: It is not found; says what there is.
    """
    path = Path(name)
    if isinstance(name, str) and NAME.fullmatch(name):
        for home, source in _homes():
            if has_card(home / name):
                if has_card(path):
                    log.warning("%r is the %s model; the folder here is './%s'", name, source, name)
                return Entry(name, home / name, source)
    if name and has_card(path):
        return Entry(path.resolve().name, path, "local")
    there = ", ".join(entry.name for entry in available())
    raise UnknownModel(
        f"no model {str(name)[:80]!r}: there are {there or 'none'}; a model folder is named by its "
        f"path, which must hold a {CARD_FILE} or a {CASCADE_FILE}"
    )


def _homes() -> tuple[tuple[Path, str], ...]:
    """Where models have names, and what such a model's source is called; the first found wins."""
    return (installed_models(), "installed"), (_EMBEDDED, "embedded")


def has_card(folder: Path) -> bool:
    """Whether a folder is that of a model, a network or a cascade, broken or not."""
    try:
        return any((folder / file).is_file() for file in _CARDS)
    except OSError:  # too long a name, or a folder that may not be looked into
        return False


def available() -> list[Entry]:
    """Every model that can be loaded by name on this machine, each name once."""
    found: dict[str, Entry] = {}
    for home, source in _homes():
        for card in sorted(card for file in _CARDS for card in home.glob(f"*/{file}")):
            name = card.parent.name
            if NAME.fullmatch(name):
                found.setdefault(name, Entry(name, card.parent, source))
    return [found[name] for name in sorted(found)]


def load(
    name: str | Path = "auto", *, threads: int | None = None, may_lose: float | None = None
) -> Model:
    """Load a model by name (``auto``, ``custom``, ``pretrained``) or by the path of its folder.

    Args:
        name: See :func:`resolve`.
        threads: Of each network; by default all processors that the process may use.
        may_lose: The part of pictures of the classes that may be called ``neither``, in [0, 1]; by
            default the model's own choice. 0 never answers ``neither``.

    Raises:
        UnknownModel: Nothing of that name.
        BrokenModel: A folder that does not prove itself.
        ModelError: The model knows no threshold that loses so little.
    """
    return Loader(threads).load(resolve(name), may_lose)


def load_network(name: str, *, threads: int | None = None) -> Classifier:
    """Load a model that is one network, for what a cascade cannot do: give logits.

    Raises:
        UnknownModel: Nothing of that name.
        BrokenModel: A folder that does not prove itself.
        ModelError: It is a cascade.
    """
    entry = resolve(name)
    return Classifier(entry.open(), name=entry.name, source=entry.source, threads=threads)
