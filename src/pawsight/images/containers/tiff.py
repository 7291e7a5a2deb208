"""TIFF: directories of tags that point into the file."""

from __future__ import annotations

import struct

from pawsight.images.containers.exif import ORIENTATION, byte_order, directory
from pawsight.images.containers.picture import FirstPicture
from pawsight.images.errors import DamagedImage, TruncatedImage, UnsupportedFormat
from pawsight.images.formats import unsupported

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 254, 256, 257, 277, 322, 323
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706
_COMPRESSION = 259
_PIECES = 100_000  # strips or tiles

# Not those of fax machines, for which libtiff prints a line to stderr for every row it cannot read.
_COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate"}

# The tags that decoding needs, and how many values each may have.
_NEEDED = {
    _WIDTH: 1,
    _HEIGHT: 1,
    258: 8,  # bits per sample
    _COMPRESSION: 1,
    262: 1,  # photometric interpretation
    266: 1,  # fill order
    273: _PIECES,  # where the strips are
    _SAMPLES: 1,
    278: 1,  # rows per strip
    279: _PIECES,  # bytes of the strips
    284: 1,  # planar configuration
    317: 1,  # predictor
    320: 3 << 16,  # palette
    _TILE_WIDTH: 1,
    _TILE_HEIGHT: 1,
    324: _PIECES,  # where the tiles are
    325: _PIECES,  # bytes of the tiles
    332: 1,  # set of inks
    338: 8,  # extra samples
    339: 8,  # sample format
    347: 1 << 16,  # tables of JPEG compression
    529: 3,  # of YCbCr: coefficients, subsampling, positions, range
    530: 2,
    531: 1,
    532: 6,
}


def read(data: bytes) -> FirstPicture:
    """Read the first directory of a TIFF; what decoding does not need is taken out of it."""
    order = byte_order(data)
    big = data[2:4] in (b"+\0", b"\0+")
    word, entry_size = ("Q", 20) if big else ("I", 12)
    (first,) = struct.unpack_from(order + word, data, 8 if big else 4)
    told: dict[int, int] = {}
    needed: list[bytes] = []
    spent = 0
    for entry in directory(data, order, first, big=big):
        told.setdefault(entry.tag, entry.value)
        if entry.tag not in _NEEDED:
            continue
        if entry.start + entry.size > len(data):
            raise TruncatedImage("truncated: the TIFF ends before its picture does")
        spent += entry.size
        if entry.length > _NEEDED[entry.tag] or spent > len(data):
            raise DamagedImage(f"damaged: the TIFF has too many values for tag {entry.tag}")
        needed.append(data[entry.at : entry.at + entry_size])
    if _DNG_VERSION in told or (_SUB_DIRECTORIES in told and told.get(_SUBFILE_TYPE, 0) & 1):
        raise unsupported("camera RAW")
    if told.get(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise UnsupportedFormat(
            f"unsupported format: a TIFF with compression {told[_COMPRESSION]} "
            f"(supported: {', '.join(sorted(set(_COMPRESSIONS.values())))})"
        )
    if told.get(_SAMPLES, 1) > 6:
        raise UnsupportedFormat("unsupported format: a TIFF of more than 6 channels")
    count = struct.pack(order + ("Q" if big else "H"), len(needed))
    directory_of_one_page = count + b"".join(needed) + struct.pack(order + word, 0)
    page = bytearray(data)
    page[first : first + len(directory_of_one_page)] = directory_of_one_page
    size = (
        max(told.get(_WIDTH, 0), told.get(_TILE_WIDTH, 0)),
        max(told.get(_HEIGHT, 0), told.get(_TILE_HEIGHT, 0)),
    )
    return FirstPicture(bytes(page), size, told.get(ORIENTATION, 1))
