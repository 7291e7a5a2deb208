"""ZIPs for tests, good and bad."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

from tests.drawn import draw


def zipped(files: Mapping[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP of these files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", packing) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return whole.getvalue()


def drawn_files(per_class: int, labels: Sequence[str] = ("cat", "dog")) -> dict[str, bytes]:
    """Drawn pictures in a folder for each label."""
    files = {}
    for label in labels:
        for number in range(per_class):
            file = io.BytesIO()
            draw(label, number).save(file, "PNG")
            files[f"{label}/{number}.png"] = file.getvalue()
    return files


def unflagged(data: bytes) -> bytes:
    """A ZIP of few short files, without the flags that say that names are UTF-8."""
    changed = bytearray(data)
    for header, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = changed.find(header)
        while at >= 0:
            changed[at + flags] &= ~0x08
            at = changed.find(header, at + 1)
    return bytes(changed)


def with_mode(name: str, mode: int, data: bytes = b"/etc/passwd") -> bytes:
    """A ZIP of one entry of this Unix mode: a link, a device."""
    whole = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr(info, data)
    return whole.getvalue()


def encrypted() -> bytes:
    """A ZIP that says that its file is encrypted."""
    whole = bytearray(zipped({"cat/1.jpg": b"x" * 40}))
    whole[6] |= 1  # in the file's own header
    whole[whole.index(b"PK\x01\x02") + 8] |= 1  # and in the list
    return bytes(whole)


def endless(count: int) -> bytes:
    """A ZIP whose list has so many files, all of them the same, in 47 bytes each."""
    name = b"a"
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    entry = (
        struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0
        )
        + name
    )
    size, start = len(entry) * count, len(local)
    end = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start
    ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    few = min(count, 0xFFFF)
    last = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, few, few, size, start, 0)
    return local + entry * count + end + last
