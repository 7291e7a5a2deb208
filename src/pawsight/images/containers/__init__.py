"""What holds a picture: its size and its first picture, found without decoding a pixel.

A decoder is then shown what it needs to paint one picture, and nothing else. Metadata, further
frames and thumbnails are where files keep what surprises: comments that fill the memory, an EXIF
block that is broken, a first page that is only a preview.
"""

from __future__ import annotations

from pawsight.images.containers import bmp, gif, isobmff, jpeg, png, tiff, webp
from pawsight.images.containers.picture import FirstPicture

__all__ = ["FirstPicture", "first_picture"]

_READERS = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "WEBP": webp.read,
    "GIF": gif.read,
    "BMP": bmp.read,
    "TIFF": tiff.read,
    "AVIF": isobmff.read,
    "HEIC": isobmff.read,
}


def first_picture(kind: str, data: bytes) -> FirstPicture:
    """Read the container of a file whose format :func:`~pawsight.images.formats.sniff` named.

    Raises:
        ImageError: The file is cut, damaged, or of a kind that is not read here.
        struct.error, IndexError, KeyError: It breaks the rules of its format.
    """
    return _READERS[kind](data)
