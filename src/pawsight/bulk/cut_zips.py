"""A ZIP archive whose index, at its end, is missing: what the headers of its files still tell.

Every file's bytes come after a header of their own (PKWARE's APPNOTE 6.3, 4.3.7), which the index
repeats. So what lies whole before a cut can be found from the front.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from pawsight.zips import BEGINNING, ENCRYPTED, UTF8, written_name

_HEADER: Final = struct.Struct("<4s5H3I2H")
_BEGINNINGS: Final = (BEGINNING, b"PK\x01\x02")  # of a file, and of the index
_SIZE_BEHIND: Final = 8  # flag: sizes and checksum come behind the bytes
_IN_EXTRA: Final = 0xFFFFFFFF
_CHUNK: Final = 1 << 18
_BEHIND: Final = re.compile(rb"PK\x07\x08")  # before checksum and sizes
_LONGEST: Final = 24  # those, of a large file


class EndUnknown(Exception):
    """Nothing tells where a file ends.

    Attributes:
        name: Of the file.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def without_index(archive: BinaryIO) -> zipfile.ZipFile:
    """What opens the files of :func:`whole_files`."""
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    opened = zipfile.ZipFile(empty)
    opened.fp = archive
    return opened


def whole_files(archive: BinaryIO) -> Iterator[zipfile.ZipInfo]:
    """The files that lie whole in an archive, as far as each says where the next one begins.

    A file whose sizes stand behind its bytes is unpacked to find its end; of one that is not packed
    it is where the sizes behind it, which a mark begins, are its own.

    Args:
        archive: Is moved about in.

    Raises:
        EndUnknown: Of a file, nothing tells where it ends: it is cut, or has its sizes without a
            mark behind it.
    """
    size, at = archive.seek(0, os.SEEK_END), 0
    while found := _header(archive, at):
        info, start = found
        if info.flag_bits & _SIZE_BEHIND and not info.compress_size:
            end = _end(archive, info, start)
        else:
            end = start + info.compress_size
        if end is None or end > size:
            return
        yield info
        at = end if not info.flag_bits & _SIZE_BEHIND else end + _behind(archive, end)


def _header(archive: BinaryIO, at: int) -> tuple[zipfile.ZipInfo, int] | None:
    """What a file's header says, and where its bytes begin; None where there is none, or half."""
    archive.seek(at)
    data = archive.read(_HEADER.size)
    if len(data) < _HEADER.size or not data.startswith(BEGINNING):
        return None
    _, version, flags, packing, time, date, crc, packed, size, name, extra = _HEADER.unpack(data)
    words, more = archive.read(name), archive.read(extra)
    if len(more) < extra or len(words) < name:
        return None
    when = (
        *((date >> 9) + 1980, date >> 5 & 15, date & 31),
        *(time >> 11, time >> 5 & 63, (time & 31) * 2),
    )
    info = zipfile.ZipInfo(words.decode("utf-8" if flags & UTF8 else "cp437", "replace"))
    info.date_time = when
    info.extract_version, info.flag_bits, info.compress_type = version, flags, packing
    info.header_offset, info.CRC = at, crc
    info.filename = written_name(info)
    if _IN_EXTRA in (packed, size):
        size, packed = _large(more)
    info.file_size, info.compress_size = size, packed
    return info, at + _HEADER.size + name + extra


def _large(extra: bytes) -> tuple[int, int]:
    """Both sizes of a file of more than 4 GB; no file is as large as is said where none stand."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1 and length >= 16 and len(extra) >= 20:
            size, packed = struct.unpack_from("<2Q", extra, 4)
            return size, packed
        extra = extra[4 + length :]
    return 1 << 62, 1 << 62


def _end(archive: BinaryIO, info: zipfile.ZipInfo, start: int) -> int | None:
    """Where a file's bytes end, which its sizes stand behind; sets them. None where they do not."""
    if info.compress_type == zipfile.ZIP_DEFLATED and not info.flag_bits & ENCRYPTED:
        return _unpacked(archive, info, start)
    if info.compress_type == zipfile.ZIP_STORED and (end := _marked(archive, info, start)):
        return end
    raise EndUnknown(info.filename)


def _marked(archive: BinaryIO, info: zipfile.ZipInfo, start: int) -> int | None:
    archive.seek(start)
    held, at = b"", start
    while data := archive.read(_CHUNK):
        held += data
        for mark in _BEHIND.finditer(held):
            end = at + mark.start()
            behind = held[mark.end() : mark.start() + _LONGEST]
            size = end - start
            for form in ("<3I", "<I2Q"):
                if behind[4 : struct.calcsize(form)] == struct.pack(form, 0, size, size)[4:]:
                    info.CRC = int.from_bytes(behind[:4], "little")
                    info.file_size = info.compress_size = size
                    return end
        at += max(len(held) - _LONGEST + 1, 0)
        held = held[-_LONGEST + 1 :]
    return None


def _unpacked(archive: BinaryIO, info: zipfile.ZipInfo, start: int) -> int | None:
    archive.seek(start)
    unpacking, size, crc, read = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0, 0
    while not unpacking.eof:
        data = unpacking.unconsumed_tail
        if not data:
            data = archive.read(_CHUNK)
            read += len(data)
        if not data:
            return None
        out = unpacking.decompress(data, _CHUNK)
        size, crc = size + len(out), zlib.crc32(out, crc)
    info.compress_size = read - len(unpacking.unused_data)
    info.file_size, info.CRC = size, crc
    return start + info.compress_size


def _behind(archive: BinaryIO, at: int) -> int:
    """How many bytes sizes and checksum take: with a mark or without, of large files or not."""
    archive.seek(at)
    data = archive.read(28)
    return next((n for n in (16, 12, 24, 20) if data[n : n + 4] in _BEGINNINGS), len(data))
