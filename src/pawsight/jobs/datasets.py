"""Datasets: pictures that were sent to be trained on, each with what was found out about it."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from pydantic import Field

from pawsight.jobs.documents import Document, read, read_all

KEPT: Final = 5
"""So many of the latest datasets that can be trained on are kept."""
KEPT_WORDS: Final = 20
"""Of so many of the latest others it is kept what was said of them."""
SHOWN: Final = 200
"""The most problems that a dataset's report names."""
ID: Final = re.compile(r"[0-9a-f]{32}")

_DOCUMENT: Final = "dataset.json"
_COMING: Final = ".coming-"
_STALE: Final = 24 * 3600  # seconds


class LeftOut(Document):
    """A file or row that is not trained on.

    Attributes:
        path: As the archive or its table has it.
        reason: Why.
    """

    path: str
    reason: str


class Dataset(Document):
    """Pictures to train on.

    Attributes:
        id: Its folder's name.
        created: When it was sent, in UTC.
        pictures: How many can be used.
        labels: How many of each label.
        problems: The first of those that cannot.
        problem_count: How many cannot.
        usable: Whether it can be trained on.
        why_not: Why it cannot be.
    """

    id: str
    created: datetime
    pictures: int = 0
    labels: dict[str, int] = Field(default_factory=dict)
    problems: tuple[LeftOut, ...] = ()
    problem_count: int = 0
    usable: bool
    why_not: str | None = None


@dataclass(frozen=True)
class Place:
    """The folder of one dataset.

    Attributes:
        path: Of the folder.
    """

    path: Path

    @property
    def archive(self) -> Path:
        """The ZIP, until it is unpacked."""
        return self.path / "sent.zip"

    @property
    def pictures(self) -> Path:
        """What was in it."""
        return self.path / "pictures"

    @property
    def table(self) -> Path:
        """The pictures that can be used, as a table whose paths start from there."""
        return self.path / "table.csv"

    def write(self, dataset: Dataset) -> None:
        """Say what is here."""
        dataset.write(self.path / _DOCUMENT)


@dataclass(frozen=True)
class Datasets:
    """All datasets.

    Attributes:
        home: Their folder; made when the first comes.
    """

    home: Path

    def find(self, id_: str) -> Dataset | None:
        """The dataset of an id, if it is there."""
        if not ID.fullmatch(id_):
            return None
        return read(self.home / id_ / _DOCUMENT, Dataset)

    def place(self, id_: str) -> Place:
        """The folder of a dataset."""
        return Place(self.home / id_)

    def begin(self) -> tuple[str, Place]:
        """An id and an empty folder for a dataset; to be :meth:`keep`-ed or dropped.

        Raises:
            OSError: No folder can be made.
        """
        id_ = uuid4().hex
        place = Place(self.home / f"{_COMING}{id_}")
        place.path.mkdir(parents=True)
        return id_, place

    def drop(self, place: Place) -> None:
        """Remove what came and was not kept; may take a while, as there may be many files."""
        shutil.rmtree(place.path, ignore_errors=True)

    def keep(self, place: Place, needed: Collection[str]) -> Dataset:
        """Keep what came and was checked; the oldest that nothing needs go.

        What cannot be trained on is in nobody's way: only what was said of it is kept.

        Args:
            place: Where it came.
            needed: The ids of others that have to stay.

        Raises:
            OSError: It cannot be kept.
        """
        dataset = read(place.path / _DOCUMENT, Dataset)
        if dataset is None:
            raise OSError("the dataset was not written")
        if not dataset.usable:
            shutil.rmtree(place.pictures)
        place.path.rename(self.home / dataset.id)
        known = read_all(self.home, _DOCUMENT, Dataset)
        known.sort(key=lambda each: each.created, reverse=True)
        usable = [each.id for each in known if each.usable]
        others = [each.id for each in known if not each.usable]
        for id_ in {*usable[KEPT:], *others[KEPT_WORDS:]} - {*needed, dataset.id}:
            shutil.rmtree(self.home / id_, ignore_errors=True)
        return dataset

    def sweep(self) -> None:
        """Remove what was coming, a day ago or before, when a service was killed."""
        for left in self.home.glob(f"{_COMING}*"):
            if left.stat().st_mtime < time.time() - _STALE:
                shutil.rmtree(left, ignore_errors=True)
