"""Pictures of all kinds, made when needed: as encoders, cameras and rogues write them.

``samples()`` has one of every kind that is read; the functions beneath make others.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pillow_heif
from PIL import Image

from pawsight.images.decode import Pixels

WIDTH, HEIGHT = 48, 32

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera held that way lays the picture down, by the EXIF orientation that it writes."""


def scene(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> Image.Image:
    """A soft picture with a red, a green, a blue and a white corner: each turn of it is another."""
    corners = np.array([[[210, 40, 40], [40, 190, 60]], [[40, 60, 200], [230, 230, 220]]])
    blotches = np.random.default_rng(seed).normal(0, 14, (5, 7, 3))
    coarse = np.repeat(np.repeat(corners, 3, 0), 4, 1)[:5, :7] + blotches
    small = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of which every row takes room in a file."""
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )


def rgb(image: Image.Image) -> Pixels:
    """What decoding a file of ``image`` should give."""
    return np.array(image.convert("RGB"))


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file; ``kind`` is a format of Pillow's or ``HEIC``."""
    file = io.BytesIO()
    if kind == "HEIC":
        exif = options.pop("exif", None)
        made = pillow_heif.from_pillow(image)
        made.save(file, **{"quality": 90, "exif": exif, **options})
    else:
        if "append_images" in options:  # saving leaves settings behind in an image
            options["append_images"] = [other.copy() for other in options["append_images"]]
        image.copy().save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block that says how the picture lies, and a little more."""
    block = Image.Exif()
    block[0x010F] = "pawsight"
    block[0x0112] = orientation
    return block.tobytes()


# --- PNG -------------------------------------------------------------------------------------


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(pixels: np.ndarray, *, interlaced: bool = False, extra: bytes = b"") -> bytes:
    """A PNG of an array of 8 or 16 bits with 1 to 4 channels; ``extra`` stands before the data."""
    rows = pixels.reshape(*pixels.shape[:2], -1)
    depth = rows.dtype.itemsize
    height, width, channels = rows.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    big = rows.astype(f">u{depth}")
    adam7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    passes = (*adam7, (1, 0, 2, 1)) if interlaced else ((0, 0, 1, 1),)
    data = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, across in passes
        for row in big[top::down, left::across]
        if row.size
    )
    header = struct.pack(">IIBBBBB", width, height, depth * 8, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


# --- TIFF ------------------------------------------------------------------------------------


def tiff(
    tags: Mapping[int, int | Sequence[int]], data: bytes, *, order: str = "<", big: bool = False
) -> bytes:
    """A TIFF of one directory, whose tags are all LONG; ``data`` begins at byte 16."""
    offset, room = ("Q", 8) if big else ("I", 4)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HH", 8, 0) if big else b""
    body = bytearray(data)
    entries = b""
    for tag, told in sorted(tags.items()):
        values = [told] if isinstance(told, int) else list(told)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(packed) > room:
            packed, where = b"", 16 + len(body)
            body += struct.pack(f"{order}{len(values)}I", *values)
            packed = struct.pack(order + offset, where)
        entries += struct.pack(order + "HH" + offset, tag, 4, len(values)) + packed.ljust(
            room, b"\0"
        )
    head += struct.pack(order + offset, 16 + len(body))
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return head.ljust(16, b"\0") + bytes(body) + count + entries + bytes(room)


def tiff_of(
    pixels: np.ndarray, *, order: str = "<", big: bool = False, tile: int = 0, **more: int
) -> bytes:
    """An uncompressed TIFF of grey or RGB pixels of 8 or 16 bits, in strips or in square tiles."""
    rows = pixels.reshape(*pixels.shape[:2], -1)
    height, width, channels = rows.shape
    depth = rows.dtype.itemsize
    tags: dict[int, int | Sequence[int]] = {
        256: width,
        257: height,
        258: [8 * depth] * channels,
        259: 1,
        262: 1 if channels == 1 else 2,
        277: channels,
    }
    if tile:
        across, down = -(-width // tile), -(-height // tile)
        padded = np.zeros((down * tile, across * tile, channels), rows.dtype)
        padded[:height, :width] = rows
        tiles = padded.reshape(down, tile, across, tile, channels).swapaxes(1, 2)
        data = tiles.astype(f"{order}u{depth}").tobytes()
        each = len(data) // (down * across)
        where = [16 + i * each for i in range(down * across)]
        tags |= {322: tile, 323: tile, 324: where, 325: [each] * len(where)}
    else:
        data = rows.astype(f"{order}u{depth}").tobytes()
        tags |= {273: 16, 278: height, 279: len(data)}
    tags |= {int(tag.removeprefix("tag_")): value for tag, value in more.items()}
    return tiff(tags, data, order=order, big=big)


# --- GIF ---------------------------------------------------------------------------------------


def gif_on_screen(frame: Image.Image, screen: tuple[int, int], at: tuple[int, int]) -> bytes:
    """A GIF whose first frame covers a part of its screen."""
    data = bytearray(save(frame, "GIF"))
    struct.pack_into("<HH", data, 6, *screen)
    image = data.index(struct.pack("<BHHHH", 0x2C, 0, 0, *frame.size))
    struct.pack_into("<HH", data, image + 1, *at)
    return bytes(data)


# --- JPEG --------------------------------------------------------------------------------------


def without_segment(jpeg: bytes, marker: int) -> bytes:
    """A JPEG without the first segment of this marker."""
    start = jpeg.index(bytes([0xFF, marker]))
    return jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big") :]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


# --- lies --------------------------------------------------------------------------------------


def claim_size(data: bytes, width: int, height: int) -> bytes:
    """The same file with another size in its header: of any format but TIFF."""
    lie = bytearray(data)
    if data.startswith(b"\xff\xd8"):
        frame = next(
            i
            for i in range(len(data))
            if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC2) and data[i + 4] == 8
        )
        struct.pack_into(">HH", lie, frame + 5, height, width)
    elif data.startswith(b"\x89PNG"):
        lie[8:33] = chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29])
    elif data.startswith(b"GIF"):
        struct.pack_into("<HH", lie, 6, width, height)
    elif data.startswith(b"BM"):
        struct.pack_into("<ii", lie, 18, width, height)
    elif data.startswith(b"RIFF"):
        if data[12:16] != b"VP8X":
            lie[12:12] = b"VP8X" + struct.pack("<I", 10) + bytes(10)
            struct.pack_into("<I", lie, 4, len(lie) - 8)
        lie[24:27] = (width - 1).to_bytes(3, "little")
        lie[27:30] = (height - 1).to_bytes(3, "little")
    elif data[4:8] == b"ftyp":
        at = data.index(b"ispe")
        struct.pack_into(">II", lie, at + 8, width, height)
    else:
        raise ValueError("no header to lie in")
    return bytes(lie)


# --- one of every kind ---------------------------------------------------------------------------


class Sample(NamedTuple):
    """A file, the pixels that it holds, and how far (mean, in grey levels) decoding may be off."""

    data: bytes
    pixels: Pixels
    tolerance: float = 0.0


def translucent(image: Image.Image) -> Image.Image:
    """The picture, clear at its top and solid at its bottom."""
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    return clear


def on_white(image: Image.Image) -> Pixels:
    """What decoding a file of a picture with transparency should give."""
    clear = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return rgb(Image.alpha_composite(white, clear))


@cache
def samples() -> dict[str, Sample]:
    """A file of every kind that is read, nearly all of them of :func:`scene`."""
    image = scene()
    pixels = rgb(image)
    grey, palette, two = image.convert("L"), image.quantize(64), image.convert("1")
    alpha, cmyk = translucent(image), image.convert("CMYK")
    grey_alpha = alpha.convert("LA")
    frames = {"save_all": True, "append_images": [image.transpose(Image.Transpose.ROTATE_180)]}
    deep, deep_grey = pixels.astype(np.uint16) * 257, np.asarray(grey).astype(np.uint16) * 257
    clear_palette = palette.copy()
    clear_palette.info["transparency"] = bytes(range(0, 256, 4))
    jpeg: dict[str, Any] = {"quality": 92}
    return {
        "jpeg": Sample(save(image, "JPEG", **jpeg), pixels, 3),
        "jpeg-progressive": Sample(save(image, "JPEG", progressive=True, **jpeg), pixels, 3),
        "jpeg-grey": Sample(save(grey, "JPEG", **jpeg), rgb(grey), 1),
        "jpeg-grey-progressive": Sample(save(grey, "JPEG", progressive=True, **jpeg), rgb(grey), 1),
        "jpeg-cmyk": Sample(save(cmyk, "JPEG", **jpeg), pixels, 1),
        "jpeg-cmyk-progressive": Sample(save(cmyk, "JPEG", progressive=True, **jpeg), pixels, 1),
        "jpeg-cmyk-without-adobe": Sample(
            without_segment(save(cmyk, "JPEG", **jpeg), 0xEE), pixels, 1
        ),
        "jpeg-restarts": Sample(save(image, "JPEG", restart_marker_blocks=1, **jpeg), pixels, 3),
        "jpeg-optimised": Sample(
            save(image, "JPEG", optimize=True, subsampling=0, **jpeg), pixels, 2
        ),
        "jpeg-two-pictures": Sample(save(image, "MPO", **frames, **jpeg), pixels, 3),
        "png": Sample(save(image, "PNG"), pixels),
        "png-palette": Sample(save(palette, "PNG"), rgb(palette)),
        "png-palette-4-bits": Sample(
            save(image.quantize(16), "PNG", bits=4), rgb(image.quantize(16))
        ),
        "png-palette-alpha": Sample(save(clear_palette, "PNG"), on_white(clear_palette)),
        "png-palette-hole": Sample(save(palette, "PNG", transparency=3), hole(palette, 3)),
        "png-alpha": Sample(save(alpha, "PNG"), on_white(alpha)),
        "png-grey": Sample(save(grey, "PNG"), rgb(grey)),
        "png-grey-alpha": Sample(save(grey_alpha, "PNG"), on_white(grey_alpha)),
        "png-1-bit": Sample(save(two, "PNG"), rgb(two)),
        "png-16-bits": Sample(png(deep), pixels),
        "png-16-bits-grey": Sample(png(deep_grey), rgb(grey)),
        "png-interlaced": Sample(png(pixels, interlaced=True), pixels),
        "png-animated": Sample(save(image, "PNG", **frames), pixels),
        "webp": Sample(save(image, "WEBP", quality=95), pixels, 3),
        "webp-lossless": Sample(save(image, "WEBP", lossless=True), pixels),
        "webp-alpha": Sample(save(alpha, "WEBP", lossless=True), on_white(alpha)),
        "webp-animated": Sample(save(image, "WEBP", lossless=True, **frames), pixels),
        "gif": Sample(save(palette, "GIF"), rgb(palette)),
        "gif-grey": Sample(save(grey, "GIF"), rgb(grey)),
        "gif-hole": Sample(save(palette, "GIF", transparency=3), hole(palette, 3)),
        "gif-animated": Sample(save(palette, "GIF", **frames), rgb(palette)),
        "gif-interlaced": Sample(save(palette, "GIF", interlace=1), rgb(palette)),
        "bmp": Sample(save(image, "BMP"), pixels),
        "bmp-palette": Sample(save(palette, "BMP"), rgb(palette)),
        "bmp-grey": Sample(save(grey, "BMP"), rgb(grey)),
        "bmp-1-bit": Sample(save(two, "BMP"), rgb(two)),
        "tiff": Sample(save(image, "TIFF"), pixels),
        "tiff-lzw": Sample(save(image, "TIFF", compression="tiff_lzw"), pixels),
        "tiff-deflate": Sample(save(image, "TIFF", compression="tiff_adobe_deflate"), pixels),
        "tiff-packbits": Sample(save(image, "TIFF", compression="packbits"), pixels),
        "tiff-jpeg": Sample(save(image, "TIFF", compression="jpeg", **jpeg), pixels, 1),
        "tiff-grey": Sample(save(grey, "TIFF"), rgb(grey)),
        "tiff-1-bit": Sample(save(two, "TIFF"), rgb(two)),
        "tiff-palette": Sample(save(palette, "TIFF"), rgb(palette)),
        "tiff-alpha": Sample(save(alpha, "TIFF"), on_white(alpha)),
        "tiff-cmyk": Sample(save(cmyk, "TIFF"), pixels),
        "tiff-pages": Sample(save(image, "TIFF", **frames), pixels),
        "tiff-big-endian": Sample(tiff_of(pixels, order=">"), pixels),
        "tiff-tiles": Sample(tiff_of(pixels, tile=16), pixels),
        "tiff-16-bits": Sample(tiff_of(deep), pixels),
        "tiff-16-bits-big-endian": Sample(tiff_of(deep, order=">"), pixels),
        "tiff-16-bits-grey": Sample(tiff_of(deep_grey), rgb(grey)),
        "bigtiff": Sample(tiff_of(pixels, big=True), pixels),
        "avif": Sample(save(image, "AVIF", quality=95), pixels, 3),
        "avif-alpha": Sample(save(alpha, "AVIF", quality=95), on_white(alpha), 3),
        "avif-animated": Sample(save(image, "AVIF", quality=95, **frames), pixels, 3),
        "heic": Sample(save(image, "HEIC"), pixels, 5),
        "heic-alpha": Sample(save(alpha, "HEIC"), on_white(alpha), 5),
    }


def hole(palette: Image.Image, colour: int) -> Pixels:
    """The pixels of a palette picture, one colour of which is clear."""
    pixels = rgb(palette)
    pixels[np.asarray(palette) == colour] = 255
    return pixels
