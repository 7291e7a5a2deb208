"""Pictures put into folders by their labels."""

from __future__ import annotations

import errno
import filecmp
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Final

from pawsight.bulk.digests import digest
from pawsight.bulk.items import as_path, as_text
from pawsight.bulk.rows import Row
from pawsight.labels import NEITHER, UNSURE

_LONGEST: Final = 255  # bytes of a file's name


@dataclass
class Sorter:
    """Copies or moves pictures to ``FOLDER/label/name``.

    Nothing is ever overwritten, by two runs at once neither: another picture of the same name gets
    a number behind its own. What was put there before, by size, time and bytes, is not put there
    again, so that sorting can be repeated. Pictures without an answer, and those in archives, stay
    where they are. Of a link, the picture that it leads to is copied; moving takes the link away,
    and not that.

    Of each file whose name others have too, a few numbers are kept in memory, so that it is looked
    at once, however many they are.

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
    _passed: dict[int, int] = field(default_factory=dict)  # by name: the last number looked at
    _alike: dict[int, tuple[int, ...]] = field(default_factory=dict)  # by name, size and time

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
        target = self._placed(folder, source)
        if target:
            self.sorted += 1
        else:
            self.there += 1
        return target

    def _placed(self, folder: Path, source: Path) -> Path | None:
        """Where a picture was put, or would be; None where it was there already."""
        if not self.dry_run:
            folder.mkdir(parents=True, exist_ok=True)
        while True:
            target, same = self._free(folder, source)
            if same:
                return None
            if self.dry_run:
                self._planned[target] = source
                return target
            with suppress(FileExistsError):  # another run has taken the name since
                self._put(source, target)
                return target

    def _free(self, folder: Path, source: Path) -> tuple[Path, bool]:
        """A name in a folder that is free, or under which the very same file is there."""
        name = digest(as_text(str(folder / source.name)))
        mine = _state(source)
        for number in self._alike.get(digest(f"{name} {mine}"), ()):
            target = folder / _numbered(source, number)
            if self._is_same(target, source):
                return target, True
        while True:
            number = self._passed.get(name, 0) + 1
            target = folder / _numbered(source, number)
            found = _state(self._planned.get(target, target))
            if found is None:
                return target, False
            if found == mine and self._is_same(target, source):
                return target, True
            alike = digest(f"{name} {found}")
            self._alike[alike] = (*self._alike.get(alike, ()), number)
            self._passed[name] = number

    def _is_same(self, target: Path, source: Path) -> bool:
        """Whether the bytes are those of what is there, or would be after a dry run."""
        with suppress(FileNotFoundError):  # it was there, or is a link that leads nowhere
            return filecmp.cmp(self._planned.get(target, target), source, shallow=False)
        return False

    def _put(self, source: Path, target: Path) -> None:
        """Copy or move a picture.

        Raises:
            FileExistsError: The name is taken.
            OSError: It cannot be put there.
        """
        if self.move and not source.is_symlink():  # whose path may lead nowhere from there
            try:
                _rename(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise  # else it lies on another disk, and is copied first
            else:
                return
        # Under its own name only when it is whole.
        begun = target.with_name(f".{token_hex(8)}.begun")
        try:
            shutil.copy2(source, begun)
            _rename(begun, target)
        finally:
            begun.unlink(missing_ok=True)
        if self.move:
            source.unlink()


def _rename(file: Path, to: Path) -> None:
    """Give a file a name that no other has; if a kill comes, it may have both.

    Raises:
        FileExistsError: Another has it.
        OSError: It cannot be given, on another disk say.
    """
    try:
        os.link(file, to)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.EXDEV):
            raise
        _rename_without_links(file, to)
        return
    try:
        file.unlink(missing_ok=True)
    except OSError:
        to.unlink()
        raise


def _rename_without_links(file: Path, to: Path) -> None:
    """The same where no links are made, or not of others' files: an empty file holds the name."""
    to.touch(exist_ok=False)
    try:
        file.replace(to)
    except OSError:
        if not to.stat().st_size:  # else the name was given, whatever the error says
            to.unlink()
        raise


def _one_folder(label: str) -> str:
    """A label as the name of one folder: a model's may have slashes, or be ``..``."""
    name = re.sub(r"[/\\\0]", "-", label)
    return name if name.strip(".") else name.replace(".", "-")


def _state(file: Path) -> str | None:
    """Size and time; a link's own where it leads nowhere; None where nothing is there."""
    for look in (os.stat, os.lstat):
        try:
            found = look(file)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):
                raise
        else:
            return f"{found.st_size} {found.st_mtime_ns}"
    return None


def _numbered(source: Path, number: int) -> str:
    """The name, from 2 on with a number behind it, cut where it would be longer than names may be.

    An ending of more than half of that is none.
    """
    if number == 1:
        return source.name
    long = len(os.fsencode(source.suffix)) > _LONGEST // 2
    stem, suffix = (source.name, "") if long else (source.stem, source.suffix)
    while len(os.fsencode(f"{stem}-{number}{suffix}")) > _LONGEST:
        stem = stem[:-1]
    return f"{stem}-{number}{suffix}"
