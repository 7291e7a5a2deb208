"""What a file is: its first bytes say so, not its name."""

from __future__ import annotations

import codecs

from pawsight.images.errors import ImageError, NotAnImage, UnsupportedFormat

SUPPORTED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")
"""The formats that :func:`pawsight.images.decode.decode` reads."""

EXTENSIONS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".hif",
    ]
)
"""File name endings under which such pictures are usually kept (lower case, with the dot)."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"IIRO", "camera RAW"),
    (b"IIRS", "camera RAW"),
    (b"IIU\x00", "camera RAW"),
    (b"FUJIFILMCCD-RAW", "camera RAW"),
    (b"MMOR", "camera RAW"),
    (b"FOVb", "camera RAW"),
    (b"II*\x00\x10\x00\x00\x00CR", "camera RAW"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "Windows icon (ICO)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"gimp xcf", "GIMP (XCF)"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"\x00\x00\x01\xba", "video"),
    (b"\x00\x00\x01\xb3", "video"),
)

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_HEIC_BRANDS |= {b"mif1", b"msf1"}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # their sizes: the letters BM alone begin many texts


def sniff(data: bytes) -> str:
    """Name the format of the bytes of a file.

    Returns:
        One of :data:`SUPPORTED`.

    Raises:
        NotAnImage: The bytes begin like no image.
        UnsupportedFormat: They begin like something else that is known, which is named.
    """
    name = _recognise(data)
    if name in SUPPORTED:
        return name
    raise unsupported(name) if name else _no_image(data)


def unsupported(name: str) -> UnsupportedFormat:
    """The refusal of a format that is known and not read here."""
    return UnsupportedFormat(f"unsupported format: {name} (supported: {', '.join(SUPPORTED)})")


def _recognise(data: bytes) -> str:
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF":
        return {b"WEBP": "WEBP", b"AVI ": "video"}.get(data[8:12], "")
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    if data[:1] == b"\0" and data[4:8] in _QUICKTIME_ATOMS:
        return "video"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<!doctype svg")):
        return "SVG"
    return "SVG" if head.startswith((b"<?xml", b"<!--")) and b"<svg" in head else ""


def _iso_media(data: bytes) -> str:
    """Tell AVIF, HEIC and films apart by the brands of an ISO base media file."""
    box_end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    major = data[8:12]
    brands = {major} | {data[i : i + 4] for i in range(16, box_end - 3, 4)}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIC_BRANDS:
        return "HEIC"
    if major == b"crx ":
        return "camera RAW"
    return "video"


def _no_image(data: bytes) -> ImageError:
    if not data:
        return NotAnImage("not an image: the file is empty")
    if not data.strip(b"\0"):
        return NotAnImage("not an image: the file holds nothing but zero bytes")
    head = data[:512]
    if head.startswith(b"RIFF"):
        return NotAnImage("not an image: this is a RIFF file, but no WEBP")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        return NotAnImage("not an image: this is a web page (HTML)")
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        return NotAnImage("not an image: this is an archive")
    if _is_text(head):
        return NotAnImage("not an image: this looks like text")
    return NotAnImage("not an image: the bytes begin like no format that is known")


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # its last letter may be cut
    except UnicodeDecodeError:
        return False
    return all(letter >= " " or letter in "\t\r\n" for letter in text)
