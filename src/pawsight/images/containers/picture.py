"""One picture of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstPicture:
    """The first picture of a file, ready for a decoder.

    Attributes:
        data: A file of the same format that holds this picture and what decoding it needs.
        size: Width and height of what decoding it builds, as the header states them.
        orientation: As EXIF counts, 1 to 8; 0 where the decoder has to be asked.
        window: Left, top, right and bottom of the part that the picture paints, if not all.
    """

    data: bytes
    size: tuple[int, int]
    orientation: int = 1
    window: tuple[int, int, int, int] | None = None
