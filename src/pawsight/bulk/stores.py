"""Where files lie: the disks of this machine, or whatever has an address that fsspec reaches."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast

from pawsight.bulk.globs import is_glob, matching
from pawsight.bulk.items import FileItem, Fingerprint, Item, Unreadable, as_text, utc
from pawsight.bulk.protocols import WEB, arguments
from pawsight.extras import ExtraMissing, require
from pawsight.images.decode import DEFAULT_LIMITS, Limits
from pawsight.images.files import read_stream
from pawsight.images.formats import EXTENSIONS

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_USER: Final = re.compile(r"(?<=://)[^/@]*@")
_TIMES: Final = ("LastModified", "mtime", "last_modified", "updated", "Last-Modified")


class Store(Protocol):
    """Holds files under paths."""

    def matching(self, source: str) -> Iterator[str]:
        """The paths that the user means: a path itself, or what a glob matches, each once."""

    def is_folder(self, path: str) -> bool:
        """Whether it can be walked through."""

    def walk(self, folder: str) -> Iterator[Item]:
        """The pictures below, by their names' endings, sorted, without hidden ones."""

    def item(self, path: str) -> Item:
        """A file, whatever its name, whether it is there or not."""

    def name(self, path: str) -> str:
        """Of records: text that any encoding takes."""

    def open(self, path: str) -> BinaryIO:
        """Open a file to read.

        Raises:
            OSError: It cannot be.
        """


def is_address(source: str) -> bool:
    """Whether it is a URL such as ``s3://bucket/album``, and not a path of this machine."""
    return _ADDRESS.match(source) is not None


def name_of(source: str) -> str:
    """A path or an address, for the record of what could not be looked through."""
    return _without_user(as_text(source)) if is_address(source) else as_text(source)


def _without_user(address: str) -> str:
    """Who logs in, and by which password, is nobody else's business."""
    return _USER.sub("", address)


def store_of(source: str, made: dict[str, Remote] | None = None) -> Store:
    """What holds a path or an address.

    Args:
        source: The path or address.
        made: What held earlier addresses: for those of one server, it is made once.

    Raises:
        ExtraMissing: fsspec, or its part for this protocol, is not installed.
        ValueError: No such protocol.
        OSError: The server that it names cannot be reached.
    """
    if not is_address(source):
        return _DISKS
    require("remote", "an address")
    import fsspec

    if "::" in source:
        raise ValueError(f"{source!r}: addresses within addresses are not followed")
    protocol = source.partition("://")[0].lower()
    made = {} if made is None else made
    try:
        # The server, and whatever else an address says of how to reach it.
        told = fsspec.get_filesystem_class(protocol)._get_kwargs_from_urls(source)
        key = repr((protocol, sorted(told.items())))
        if key not in made:
            # What was listed is not kept: a bucket's names would fill the memory.
            given = {**told, "use_listings_cache": False, **arguments(protocol)}
            made[key] = Remote(fsspec.filesystem(protocol, **given))
        return made[key]
    except ImportError as error:
        raise ExtraMissing(
            f"{protocol}:// cannot be reached: {error} (the extra 'remote' brings what http, s3 "
            "and gs need)"
        ) from error


def item_of(source: str, made: dict[str, Remote]) -> Item:
    """The file at a path or an address.

    Args:
        source: As :func:`store_of`.
        made: As :func:`store_of`.

    Raises:
        ExtraMissing: As :func:`store_of`.
        ValueError: As :func:`store_of`.
    """
    return store_of(source, made).item(source)


class Disks:
    """The disks of this machine. Links to folders are not followed."""

    def matching(self, source: str) -> Iterator[str]:
        """See :class:`Store`."""
        if is_glob(source):
            yield from matching(source)
        else:
            yield source

    def is_folder(self, path: str) -> bool:
        """See :class:`Store`."""
        return os.path.isdir(path)

    def walk(self, folder: str) -> Iterator[FileItem | Unreadable]:
        """See :class:`Store`; a folder that may not be looked into is an item that says so."""
        closed: list[OSError] = []
        for parent, folders, names in os.walk(folder, onerror=closed.append):
            yield from map(_closed, closed)  # those that were met on the way here
            closed.clear()
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if _is_picture(name):
                    yield FileItem(Path(parent) / name)
        yield from map(_closed, closed)

    def item(self, path: str) -> FileItem:
        """See :class:`Store`."""
        return FileItem(Path(path))

    def name(self, path: str) -> str:
        """See :class:`Store`."""
        return as_text(path)

    def open(self, path: str) -> BinaryIO:
        """See :class:`Store`."""
        return Path(path).open("rb")


_DISKS: Final = Disks()


class Remote:
    """A file system of fsspec: buckets, web servers and others.

    Args:
        files: The ``fsspec.AbstractFileSystem``.

    Attributes:
        is_web: Whether it is of web servers, which may not tell a file's size.
    """

    def __init__(self, files: Any) -> None:  # noqa: ANN401 - fsspec has no types
        self._files = files
        names = files.protocol
        self.is_web = not set(WEB).isdisjoint((names,) if isinstance(names, str) else names)

    def matching(self, source: str) -> Iterator[str]:
        """See :class:`Store`; in an address of the web, ``?`` is no sign of a glob."""
        path = self._files._strip_protocol(source)
        if any(sign in path for sign in ("*" if self.is_web else "*?[")):
            with _told():
                yield from sorted(self._files.glob(path))
        else:
            # Of the web, only what ends like a folder is one: no server says it.
            yield f"{path.rstrip('/')}/" if self.is_web and source.endswith("/") else path

    def is_folder(self, path: str) -> bool:
        """See :class:`Store`."""
        if self.is_web:
            return path.endswith("/")
        if _is_picture(path.rpartition("/")[2]):
            return False
        with _told():
            return bool(self._files.isdir(path))

    def walk(self, folder: str) -> Iterator[RemoteItem]:
        """See :class:`Store`; as far as one folder at a time is kept in memory."""
        root = folder.rstrip("/")
        below = []
        for entry in sorted(self._entries(folder), key=lambda each: str(each["name"])):
            path = str(entry["name"]).rstrip("/")
            name = path.rpartition("/")[2]
            if not path.startswith(f"{root}/") or name.startswith("."):
                continue  # the folder itself, and what a page of the web has links to
            if entry["type"] == "directory":
                below.append(f"{path}/" if self.is_web else path)
            elif _is_picture(name):
                # A page of the web tells neither sizes nor times: its pictures are asked for them.
                yield RemoteItem(self, path, None if self.is_web else _fingerprint(entry))
        for inner in below:
            yield from self.walk(inner)

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        with _told():
            try:
                return list(self._files.ls(folder, detail=True))
            except FileNotFoundError:
                # Of a page without links, fsspec asks for another, without the slash at its end.
                if self.is_web and self._files.exists(folder):
                    return []
                raise

    def item(self, path: str) -> RemoteItem:
        """See :class:`Store`."""
        return RemoteItem(self, self._files._strip_protocol(path), None)

    def name(self, path: str) -> str:
        """See :class:`Store`."""
        return _without_user(as_text(str(self._files.unstrip_protocol(path))))

    def open(self, path: str) -> BinaryIO:
        """See :class:`Store`."""
        with _told():
            return cast("BinaryIO", self._files.open(path, "rb"))

    def ask(self, path: str) -> Fingerprint:
        """What is known of a file.

        Raises:
            OSError: It is not there, or cannot be asked.
        """
        with _told():
            return _fingerprint(self._files.info(path))

    def read(self, path: str, most: int, size: int | None = None) -> bytes:
        """At most so many bytes of a file.

        Args:
            path: Of the file.
            most: Bytes.
            size: Of the file, where it is known: a web server is not asked for it again then.

        Raises:
            OSError: It cannot be read.
        """
        with _told():
            if not self.is_web:
                return bytes(self._files.cat_file(path, start=0, end=most))
            # A web server may ignore that only the beginning is wanted: it is read as it comes.
            with self._files.open(path, "rb", block_size=0, size=size) as stream:
                data = read_stream(stream, most)
        if size and len(data) < min(size, most):
            raise OSError(errno.EIO, f"only {len(data)} of its {size} bytes came")
        return data


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """A file at an address.

    Attributes:
        store: Holds it.
        path: Of the file in it.
        found: What the listing said of it; None where it was not listed.
    """

    store: Remote
    path: str
    found: Fingerprint | None

    @property
    def name(self) -> str:
        """Its address."""
        return self.store.name(self.path)

    def fingerprint(self) -> Fingerprint:
        """Size, and time or tag."""
        return self.found or self.store.ask(self.path)

    def read(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """The file's bytes."""
        if self.found and not self.found.size and not self.store.is_web:
            return b""  # S3 gives no range of an empty file; of the web, 0 may be no size at all
        size = self.found.size if self.found else None
        return self.store.read(self.path, limits.max_bytes + 1, size)


def _closed(error: OSError) -> Unreadable:
    return Unreadable(as_text(str(error.filename)), error)


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in EXTENSIONS


def _fingerprint(entry: dict[str, Any]) -> Fingerprint:
    """Size and time of a file; its tag, where no time is told."""
    when = next((entry[key] for key in _TIMES if entry.get(key)), entry.get("ETag"))
    if isinstance(when, datetime):
        when = when.astimezone(timezone.utc).isoformat()
    elif isinstance(when, float):
        when = utc(when)
    elif isinstance(when, str) and when == entry.get("Last-Modified"):
        with suppress(ValueError):  # else it is as good as a tag
            when = parsedate_to_datetime(when).astimezone(timezone.utc).isoformat()
    return Fingerprint(int(entry.get("size") or 0), when and str(when))


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a file system raises into an OSError with words."""
    try:
        yield
    except FileNotFoundError as error:
        cause = error.__cause__  # the web's file system calls everything missing
        if cause is None or getattr(cause, "status", None) in (404, 410):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        raise OSError(errno.EIO, str(cause) or type(cause).__name__) from error
    except PermissionError as error:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from error
    except Exception as error:  # every protocol has errors of its own
        words = str(error) or type(error).__name__
        raise OSError(errno.EIO, words.splitlines()[0]) from error
