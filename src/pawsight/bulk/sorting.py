"""Pictures put into folders by their labels."""

from __future__ import annotations

import errno
import filecmp
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pawsight.bulk.digests import digest
from pawsight.bulk.items import as_path, as_text
from pawsight.bulk.rows import Row
from pawsight.labels import NEITHER, UNSURE

_LONGEST: Final = 255  # bytes of a file's name


@dataclass
class Sorter:
    """Copies or moves pictures to ``FOLDER/label/name``.

    Nothing is ever overwritten: another picture of the same name gets a number behind its own. What
    was put there before, by size, time and bytes, is not put there again, so that sorting can be
    repeated. Pictures without an answer, and those in archives, stay where they are. Of a link, the
    picture that it leads to is copied; moving takes the link away, and not that.

    Attributes:
        folder: The target.
        move: Whether the pictures leave where they are.
        min_confidence: Below it they go to the folder ``unsure``, in [0, 1].
        dry_run: Do nothing but say what would be done.
        sorted: How many were put, or would be.
        there: How many were there already.
        left: How many had an answer and are no files of their own, or not any more.
    """

    folder: Path
    move: bool = False
    min_confidence: float = 0.0
    dry_run: bool = False
    sorted: int = 0
    there: int = 0
    left: int = 0
    _planned: dict[Path, Path] = field(default_factory=dict)  # of a dry run: targets and sources

    def take(self, row: Row) -> Path | None:
        """Put one picture where it belongs; returns where, if something was or would be done.

        Raises:
            OSError: It cannot be put there.
        """
        if row["error"] is not None:
            return None
        source = as_path(row["path"])
        sure = row["confidence"] >= self.min_confidence or row["label"] == NEITHER
        folder = self.folder / (_one_folder(row["label"]) if sure else UNSURE)
        if not source.is_file():
            self.left += 1
            return None
        target, same = self._free(folder, source)
        if same:
            self.there += 1
            return None
        self.sorted += 1
        if self.dry_run:
            self._planned[target] = source
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._put(source, target)
        return target

    def _free(self, folder: Path, source: Path) -> tuple[Path, bool]:
        """A name in a folder that is free, or under which the very same file is there."""
        mine = source.stat()
        number = 1
        while True:
            target = folder / (source.name if number == 1 else _numbered(source, number))
            there = self._planned.get(target, target)
            try:
                found = there.stat()
            except FileNotFoundError:
                return target, False
            alike = (found.st_size, found.st_mtime_ns) == (mine.st_size, mine.st_mtime_ns)
            if alike and filecmp.cmp(there, source, shallow=False):
                return target, True
            number += 1

    def _put(self, source: Path, target: Path) -> None:
        if self.move and not source.is_symlink():  # whose path may lead nowhere from there
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise  # else it lies on another disk, and is copied first
            else:
                return
        # Under its own name only when it is whole.
        begun = target.with_name(f".{digest(as_text(target.name)):x}.begun")
        try:
            shutil.copy2(source, begun)
            begun.rename(target)
        finally:
            begun.unlink(missing_ok=True)
        if self.move:
            source.unlink()


def _one_folder(label: str) -> str:
    """A label as the name of one folder: a model's may have slashes, or be ``..``."""
    name = re.sub(r"[/\\\0]", "-", label)
    return name if name.strip(".") else name.replace(".", "-")


def _numbered(source: Path, number: int) -> str:
    """The name with a number behind it, cut where it would be longer than names may be."""
    stem, end = source.stem, f"-{number}{source.suffix}"
    while len(os.fsencode(stem + end)) > _LONGEST:
        stem = stem[:-1]
    return stem + end
