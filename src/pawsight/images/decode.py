"""Bytes → pixels, safely: the one place where a picture is opened."""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pawsight.images.errors import (
    DamagedImage,
    ImageError,
    ImageTooLarge,
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
    max_pixels: int = 50_000_000


DEFAULT_LIMITS: Final = Limits()

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

_ORIENTATION: Final = 0x0112


def decode(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, at_least: tuple[int, int] | None = None
) -> Pixels:
    """Decode one picture to upright RGB.

    Transparency is laid on white, the first frame of an animation is taken, 16 bits become 8, and
    the EXIF orientation is applied.

    Args:
        data: The bytes of the file.
        limits: What the picture may cost.
        at_least: The (height, width) that the caller will resize to. A JPEG several times as large
            is then decoded at a half, a quarter or an eighth (libjpeg's scaled inverse DCT, which
            Pillow calls draft mode), never below twice the size asked for.

    Returns:
        uint8 [H, W, 3], C-contiguous.

    Raises:
        ImageTooLarge: Over the limits.
        NotAnImage: The bytes are no image.
        UnsupportedFormat: A format, or a kind of pixels, that is not read here.
        TruncatedImage: The file ends too early.
        DamagedImage: The file is broken otherwise.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"too large: {len(data):,} bytes, limit {limits.max_bytes:,}".replace(",", " ")
        )
    kind = sniff(data)
    try:
        image = _open(kind, data)
        _check_pixels(image.size, limits)
        if kind == "JPEG":
            _check_jpeg_end(data)
            if at_least:
                _draft(image, at_least)
        image.load()
        pixels = _to_rgb(_upright(image))
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageTooLarge(f"too large: {kind} needs more memory than there is") from error
    except Exception as error:
        raise _translate(kind, error) from error
    if pixels.shape[0] == 0 or pixels.shape[1] == 0:
        raise DamagedImage(f"damaged: the {kind} is {pixels.shape[1]}×{pixels.shape[0]} pixels")
    return pixels


def rgb_pixels(image: Image.Image) -> Pixels:
    """Upright RGB uint8 [H, W, 3] of a Pillow image of any mode; transparency is laid on white.

    Raises:
        UnsupportedFormat: Its pixels have 32 bits.
        TruncatedImage, DamagedImage: It was opened lazily, and decoding it fails now.
    """
    try:
        image.load()
        return _to_rgb(_upright(image))
    except ImageError:
        raise
    except Exception as error:
        raise _translate(image.format or "picture", error) from error


def _open(kind: str, data: bytes) -> ImageFile:
    module, name = _PLUGINS[kind]
    plugin = getattr(importlib.import_module(module), name)
    image: ImageFile = plugin(io.BytesIO(data))
    return image


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        allowed = (
            f"{limits.max_pixels / 1e6:g} million"
            if limits.max_pixels >= 1_000_000
            else f"{limits.max_pixels}"
        )
        raise ImageTooLarge(f"too large: {width}×{height} pixels, limit {allowed}")


def _check_jpeg_end(data: bytes) -> None:
    """Refuse a JPEG whose tail is a hole: what an interrupted download leaves in its place.

    libjpeg reads zero bytes as valid codes and would paint the rest of the picture grey.
    """
    if data[-1] == 0 and b"\xff\xd9" not in data.rstrip(b"\0")[-64:]:
        raise TruncatedImage("truncated: the JPEG's last part is missing (only zero bytes)")


def _draft(image: ImageFile, at_least: tuple[int, int]) -> None:
    height, width = at_least
    long, short = max(height, width), min(height, width)
    # The orientation may yet swap the sides, so both must hold whichever way the picture lies.
    image.draft("RGB", (2 * long, 2 * long) if long != short else (2 * short, 2 * short))


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a broken EXIF block is no reason to refuse its picture
        return image
    if orientation not in range(2, 9):
        return image
    if image.mode == "P":  # a palette's transparency is lost by transposing
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    return ImageOps.exif_transpose(image)


def _to_rgb(image: Image.Image) -> Pixels:
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _deep_grey_to_rgb(image)
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"), dtype=np.uint8, order="C")


def _deep_grey_to_rgb(image: Image.Image) -> Pixels:
    """Scale one channel of 16 bits (or 32 bits that hold 16) to 8; Pillow itself would clip it."""
    grey = np.asarray(image)
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > 65535:
        raise UnsupportedFormat("unsupported format: pixels of 32 bits (supported: 8 and 16 bits)")
    eight = (grey.astype(np.uint32) >> 8).astype(np.uint8)
    return np.repeat(eight[:, :, None], 3, axis=2)


def _translate(kind: str, error: Exception) -> ImageError:
    words = str(error).lower()
    if isinstance(error, EOFError) or any(
        hint in words for hint in ("truncated", "unexpected end", "not enough", "premature", "eof")
    ):
        return TruncatedImage(f"truncated: the {kind} ends before its picture does")
    return DamagedImage(f"damaged: this {kind} cannot be decoded")
