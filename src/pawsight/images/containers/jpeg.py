"""JPEG: a file of marked segments, of which the last ones hold the coded picture.

Where coded data ends too early, libjpeg warns and paints the rest grey, and Pillow does not pass
its warnings on. But where the bytes end without an end marker, libjpeg waits for more, and Pillow
refuses the picture. So a JPEG of one sequential scan, as cameras write them, is handed over with
its end marker replaced by a few bytes into which a decoder that has painted everything merely looks
ahead: a picture that lacks more than its last block or two is refused, whatever stands there
instead. A hole of zero bytes in the midst goes unnoticed only if it happens to hold as many blocks.

A JPEG of several scans must have its end marker, and have sent every bit of every coefficient. One
that was cut within its last scan and then closed by an end marker passes: that is a whole picture,
which lacks its finest detail in its lower part.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from pawsight.images.containers.exif import orientation
from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import ImageTooLarge, TruncatedImage, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SCANS = 100
"""More are refused: a scan of 80 bytes makes a decoder walk the whole picture once more.

At 50 million pixels that takes 3 ms, and 32 MB would have room for 400 000 scans. Encoders make
about ten; libtiff draws the same line (``LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER``).
"""

MAX_SEGMENTS = 10_000
"""More are refused: through the 16 million that 32 MB have room for, Python walks for seconds.

A camera's file has some dozens; a profile or notes of 32 MB have 500, each as long as it can be.
"""

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # FF00 is a coded FF, FFD0–7 are restarts

# libjpeg looks ahead until it has 57 bits, of which one at least is the picture's. No code consists
# of ones alone, so that these can be mistaken for the last three codes of a picture, and no more.
_FILLER = b"\xff\x00" * 7

_BARE = frozenset([0x01, *range(0xD0, 0xDA)])  # markers that no length follows
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset([0xC0, 0xC1])
_END, _SCAN, _EXIF = 0xD9, 0xDA, 0xE1
# Of the application's segments only JFIF's and Adobe's, which say how colours are coded.
_UNUSED = (_BARE - {_END}) | frozenset([*range(0xE1, 0xEE), 0xEF, 0xFE])


def read(data: bytes) -> FirstPicture:
    """Read the segments of a JPEG up to the end of its first picture."""
    kept = [data[:2]]
    frame: _Frame | None = None
    exif = b""
    for marker, start, payload, end in _segments(data):
        piece = data[start:end]
        if marker in _FRAMES:
            frame = _Frame(marker, payload)
        elif marker == _EXIF and payload.startswith(b"Exif\0\0"):
            exif = exif or payload
        elif marker == _SCAN and frame:
            frame.add_scan(payload)
            if frame.sequential and frame.scans == 1 and frame.complete:
                coded = piece.rstrip(b"\0") if end == len(data) else piece
                file = b"".join([*kept, coded, _FILLER])
                return FirstPicture(file, frame.size, orientation(exif))
        elif marker == _END and frame and frame.complete:
            return FirstPicture(b"".join([*kept, piece]), frame.size, orientation(exif))
        if marker not in _UNUSED:
            kept.append(piece)
    raise TruncatedImage("truncated: the JPEG ends before its picture does")


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes, int]]:
    """Marker, start, payload and end of each segment; a scan's end is that of its coded data."""
    at = 2
    count = 0
    while found := _MARKER.search(data, at):
        count += 1
        if count > MAX_SEGMENTS:
            raise ImageTooLarge(f"too large: a JPEG of more than {MAX_SEGMENTS} segments")
        start, body = found.span()
        marker = data[start + 1]
        at = body
        payload = b""
        if marker not in _BARE:
            at += int.from_bytes(data[body : body + 2], "big")
            payload = data[body + 2 : at]
        if at > len(data):
            return
        if marker == _SCAN:
            closed = _END_OF_SCAN.search(data, at)
            at = closed.start() if closed else len(data)
        yield marker, start, payload, at
        if marker == _END:
            return


class _Frame:
    """The picture's head, and which bits of its coefficients the scans have not sent so far."""

    def __init__(self, marker: int, payload: bytes) -> None:
        bits, height, width, count = struct.unpack_from(">BHHB", payload)
        if bits != 8:
            raise UnsupportedFormat(f"unsupported format: a JPEG of {bits} bits (supported: 8)")
        self.sequential = marker in _SEQUENTIAL
        self.size = (width, height)
        self.scans = 0
        self._missing = {payload[6 + 3 * i]: [1] * 64 for i in range(count)}

    def add_scan(self, payload: bytes) -> None:
        """Note what a scan sends."""
        self.scans += 1
        if self.scans > MAX_SCANS:
            raise ImageTooLarge(f"too large: a JPEG of more than {MAX_SCANS} scans")
        count = payload[0]
        first, last, bits = payload[1 + 2 * count : 4 + 2 * count]
        if self.sequential:  # what it says of them has no meaning
            first, last, bits = 0, 63, 0
        for component in payload[1 : 1 + 2 * count : 2]:
            self._missing[component][first : last + 1] = [bits & 15] * (last + 1 - first)

    @property
    def complete(self) -> bool:
        return not any(bits for component in self._missing.values() for bits in component)
