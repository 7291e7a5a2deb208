"""BMP: a header, then rows."""

from __future__ import annotations

import struct

from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import UnsupportedFormat

_OS2_HEADER = 12  # bytes; it has 16 bits a side, and no compression
_RUN_LENGTHS = (1, 2)


def read(data: bytes) -> FirstPicture:
    """Read the size of a BMP; a negative height says that the rows go down."""
    (header,) = struct.unpack_from("<I", data, 14)
    if header == _OS2_HEADER:
        return FirstPicture(data, struct.unpack_from("<HH", data, 18))
    width, height, _, compression = struct.unpack_from("<iiII", data, 18)
    if compression in _RUN_LENGTHS:
        # Pillow decodes them in Python: a file of 32 MB takes half a minute. No camera writes them.
        raise UnsupportedFormat("unsupported format: a BMP coded in run lengths")
    return FirstPicture(data, (width, abs(height)))
