"""Bytes → pixels, safely: the one place where a picture is opened.

What cannot be noticed here: zero bytes in place of the end of a WebP, AVIF, HEIC, BMP or
uncompressed TIFF, to whose decoders they are valid codes or black pixels (cut short, without the
zeros, all of them are refused); and that AV1 and HEVC data hold more pixels than the file around
them says, for which their decoders have limits of their own.

Nothing is set for the whole process. The one thing that cannot be helped is that libtiff prints a
line to stderr for a compressed TIFF that is damaged.
"""

from __future__ import annotations

import importlib
import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawsight.images.containers import first_picture
from pawsight.images.containers.exif import ORIENTATION, orientation
from pawsight.images.errors import (
    DamagedImage,
    ImageError,
    ImageTooLarge,
    ImageTooSmall,
    TruncatedImage,
    UnsupportedFormat,
)
from pawsight.images.formats import sniff

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Pixels = NDArray[np.uint8]
"""A picture: RGB, uint8 [H, W, 3], upright."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may cost, held against its header before a pixel is decoded.

    Attributes:
        max_bytes: Size of the encoded file in bytes.
        max_pixels: Width × height as the header states it.
    """

    max_bytes: int = 32 * 1024 * 1024
    max_pixels: int = 52_000_000  # of a camera of "50 megapixels", which has 8192×6144


DEFAULT_LIMITS: Final = Limits()

_TOO_LARGE: Final = "too large: "

MIN_SIDE: Final = 8
"""Pixels that a picture's shorter side must have to be trained on or asked about."""

# Pillow's `Image.open` tries every plugin it knows and has a limit on pixels of its own, which is
# global to the process. The plugin that the first bytes call for is opened directly instead.
_PLUGINS: Final = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pillow_heif", "HeifImageFile"),
}

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture of each EXIF orientation is set upright."""


def decode(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, at_least: tuple[int, int] | None = None
) -> Pixels:
    """Decode one picture to upright RGB uint8 [H, W, 3], C-contiguous, as :func:`decode_image`."""
    return np.array(decode_image(data, limits=limits, at_least=at_least))


def decode_image(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Decode one picture to upright RGB, as Pillow has it: to be resized, it need not be copied.

    Transparency is laid on white, the first frame of an animation is taken, 16 bits become 8, and
    the EXIF orientation is applied.

    Args:
        data: The bytes of the file.
        limits: What the picture may cost.
        at_least: The (height, width) that the caller will resize to. A JPEG several times as large
            is then decoded at a half, a quarter or an eighth (libjpeg's scaled inverse DCT, which
            Pillow calls draft mode), never below twice the size asked for. In grey levels, the
            mean difference that this makes to the resized picture is 0.4 (0.7 at worst, and 11 in
            a single pixel) at 160 and 224 pixels for pictures 2 to 16 times as large, made of real
            photographs; going down to the very size asked for would make it 1.6 (3.5, and 88). On
            the 300 photographs of at most 500 pixels, resized to 64 and 96, it is 0.9 to 1.1 (2.6).
            Decoding takes 0.4 of the time.

    Returns:
        Of mode ``RGB``.

    Raises:
        ImageTooLarge: Over the limits.
        NotAnImage: The bytes are no image.
        UnsupportedFormat: A format, or a kind of pixels, that is not read here.
        TruncatedImage: The file ends too early.
        DamagedImage: The file is broken otherwise.
    """
    if len(data) > limits.max_bytes:
        raise too_large(len(data), limits)
    kind = sniff(data)
    try:
        first = first_picture(kind, data)
        _check_size(kind, first.size, limits)
        image = _open(kind, first.data)
        _check_size(kind, image.size, limits)  # what decoding builds, should the two differ
        if kind == "JPEG" and at_least:
            _draft(image, at_least)
        image.load()
        rgb = _to_rgb(image)
        if first.window:
            rgb = _on_white(rgb, first.window)
        return _upright(rgb, first.orientation or orientation(image.info.get("exif") or b""))
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLarge(f"too large: {kind} needs more memory than there is") from error
    except Exception as error:
        raise _translate(kind, error) from error


def upright_rgb(image: Image.Image) -> Image.Image:
    """A Pillow image of any mode as upright RGB; transparency is laid on white.

    Raises:
        UnsupportedFormat: Its pixels have 32 bits.
        DamagedImage: It has no pixels.
        TruncatedImage, DamagedImage: It was opened lazily, and decoding it fails now.
    """
    if 0 in image.size:
        raise DamagedImage("damaged: the picture has no pixels")
    try:
        image.load()
        return _upright(_to_rgb(image), _orientation_of(image))
    except ImageError:
        raise
    except Exception as error:
        raise _translate(image.format or "picture", error) from error


def large_enough(image: Image.Image) -> Image.Image:
    """The same picture, where it has enough pixels to show anything.

    Raises:
        ImageTooSmall: A side has fewer than :data:`MIN_SIDE` pixels.
    """
    width, height = image.size
    if min(height, width) < MIN_SIDE:
        raise ImageTooSmall(
            f"too small: {width}×{height} pixels show nothing, at least {MIN_SIDE}×{MIN_SIDE} do"
        )
    return image


def _open(kind: str, data: bytes) -> ImageFile:
    module, name = _PLUGINS[kind]
    plugin = getattr(importlib.import_module(module), name)
    image: ImageFile = plugin(io.BytesIO(data))
    return image


def _check_size(kind: str, size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise DamagedImage(f"damaged: the {kind} is {width}×{height} pixels")
    if width * height > limits.max_pixels:
        of_pixels, _, _ = _named(limits)
        raise ImageTooLarge(f"{_TOO_LARGE}{width}×{height} {of_pixels}")


def too_large(size: int, limits: Limits = DEFAULT_LIMITS) -> ImageTooLarge:
    """What is said of a file of more bytes than the limit, which need not be read for that.

    One byte more than the limit is as much as is read of a file whose size nobody tells.

    Args:
        size: Of the file in bytes.
        limits: That it exceeds.
    """
    _, of_bytes, uncounted = _named(limits)
    if size == limits.max_bytes + 1:
        return ImageTooLarge(f"{_TOO_LARGE}{uncounted}")
    return ImageTooLarge(f"{_TOO_LARGE}{_spaced(size)} {of_bytes}")


def of_other_limits(error: str, limits: Limits) -> bool:
    """Whether the words of an error name a limit, and none of these."""
    return error.startswith(_TOO_LARGE) and "limit" in error and not error.endswith(_named(limits))


def _named(limits: Limits) -> tuple[str, str, str]:
    """How errors name them: that of pixels, of bytes, and of bytes that nobody has counted."""
    pixels, size = _spaced(limits.max_pixels), _spaced(limits.max_bytes)
    if limits.max_pixels >= 1_000_000:
        pixels = f"{limits.max_pixels / 1e6:.9g} million"
    return f"pixels, limit {pixels}", f"bytes, limit {size}", f"more than {size} bytes, the limit"


def _spaced(number: int) -> str:
    return f"{number:_}".replace("_", " ")


def _draft(image: ImageFile, at_least: tuple[int, int]) -> None:
    side = 2 * max(at_least)  # the orientation may yet swap the sides
    image.draft("RGB", (side, side))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _deep_grey(image)
    if image.mode == "La":  # for which Pillow knows one way only
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _deep_grey(image: Image.Image) -> Image.Image:
    """Scale one channel of 16 bits (or 32 bits that hold 16) to 8; Pillow itself would clip it."""
    grey = np.asarray(image)
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > 65535:
        raise UnsupportedFormat("unsupported format: pixels of 32 bits (supported: 8 and 16 bits)")
    eight = (grey.astype(np.uint16) >> 8).astype(np.uint8)
    eight[grey == image.info.get("transparency")] = 255
    return Image.fromarray(eight)


def _on_white(rgb: Image.Image, window: tuple[int, int, int, int]) -> Image.Image:
    """Keep what the first frame of a GIF paints; Pillow gives the rest some colour of its table."""
    if window == (0, 0, *rgb.size):
        return rgb
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb.crop(window), window)
    return white


def _orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken EXIF block is no reason to refuse its picture
        return 1


def _upright(rgb: Image.Image, way: int) -> Image.Image:
    turn = _TURNS.get(way)
    return rgb if turn is None else rgb.transpose(turn)


# What the libraries say, in lower case.
_CUT: Final = (
    "truncated",
    "unexpected end",
    "not enough image data",
    "insufficient",
    "premature",
    "end of file",
)
_UNKNOWN: Final = ("unsupported", "unknown pixel mode", "cannot handle")


def _translate(kind: str, error: Exception) -> ImageError:
    """Say in our words what a decoder says in the words of its library."""
    words = str(error).lower()
    if isinstance(error, (EOFError, IndexError, struct.error)) or any(h in words for h in _CUT):
        return TruncatedImage(f"truncated: the {kind} ends before its picture does")
    if any(hint in words for hint in _UNKNOWN):
        return UnsupportedFormat(f"unsupported format: {kind} of a rare kind")
    return DamagedImage(f"damaged: this {kind} cannot be decoded")
