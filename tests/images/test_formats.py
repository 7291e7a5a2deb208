"""What a file is called that is not read, and that its bytes decide."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from pawsight.images.decode import decode
from pawsight.images.errors import ImageError, NotAnImage, UnsupportedFormat
from pawsight.images.formats import EXTENSIONS, SUPPORTED, sniff
from tests.images.pictures import samples, tiff


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("cat.jpg", samples()["jpeg"].data)
    return file.getvalue()


@pytest.mark.parametrize("name", samples())
def test_every_kind_is_recognised_by_its_bytes(name: str) -> None:
    kind = {"MPO": "JPEG", "BIGTIFF": "TIFF"}.get(name.split("-")[0].upper(), "")
    assert sniff(samples()[name].data) == (kind or name.split("-")[0].upper())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an image: the file is empty"),
        (bytes(5000), "not an image: the file holds nothing but zero bytes"),
        (b"the free cat sat on the mat\n" * 50, "not an image: this looks like text"),
        ("Die Katze saß auf der Matte".encode(), "not an image: this looks like text"),
        (b"path,label\ncat.1.jpg,Cat\n", "not an image: this looks like text"),
        (b"BM, the initials of Bertha Miller, a friend", "not an image: this looks like text"),
        (b"\n <!DOCTYPE html><html><svg/></html>", "not an image: this is a web page (HTML)"),
        (b"<html><body>404</body></html>", "not an image: this is a web page (HTML)"),
        (_zip(), "not an image: this is an archive"),
        (b"\x1f\x8b\x08" + bytes(40), "not an image: this is an archive"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "not an image: this is a RIFF file, but no WEBP"),
        (b"\x7fELF\x02\x01" + bytes(90), "not an image: the bytes begin like no format"),
        (b"\xff\xd8", "not an image: the bytes begin like no format"),
    ],
)
def test_what_is_no_image_is_told_so(data: bytes, words: str) -> None:
    with pytest.raises(NotAnImage, match="not an image") as refusal:
        decode(data)
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="9"/>', "SVG"),
        (b"<!-- drawn by hand --><svg/>", "SVG"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"8BPS\0\1" + bytes(30), "Photoshop (PSD)"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(30), "JPEG 2000"),
        (b"\xff\x4f\xff\x51" + bytes(30), "JPEG 2000"),
        (b"\0\0\1\0\1\0" + bytes(30), "Windows icon (ICO)"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera RAW"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(30), "camera RAW"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(30), "camera RAW"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp41", "video"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat" + bytes(30), "video"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(40), "video"),
        (b"\x1aE\xdf\xa3" + bytes(30), "video"),
    ],
)
def test_a_known_format_that_is_not_read_is_named(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat) as refusal:
        decode(data)
    assert str(refusal.value) == (
        f"unsupported format: {name} (supported: JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, HEIC)"
    )


@pytest.mark.parametrize("tags", [{50706: 0x01040000}, {254: 1, 330: 16}])
def test_a_raw_file_that_looks_like_a_tiff_is_not_judged_by_its_preview(
    tags: dict[int, int],
) -> None:
    preview = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 2, 279: 4}
    decode(tiff(preview, bytes(4)))
    with pytest.raises(UnsupportedFormat, match="camera RAW"):
        decode(tiff(preview | tags, bytes(4)))


def test_what_is_not_read_of_a_format_is_named() -> None:
    runs = bytearray(samples()["bmp-palette"].data)
    runs[30] = 1
    deep = bytearray(samples()["jpeg"].data)
    deep[deep.index(b"\xff\xc0") + 4] = 12
    grey = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 2, 279: 4}
    for data, words in (
        (bytes(runs), "a BMP coded in run lengths"),
        (bytes(deep), "a JPEG of 12 bits (supported: 8)"),
        (
            tiff(grey | {259: 4}, bytes(4)),
            "a TIFF with compression 4 (supported: JPEG, LZW, PackBits, deflate, none)",
        ),
        (tiff(grey | {262: 32803}, bytes(4)), "TIFF of a rare kind"),
    ):
        with pytest.raises(UnsupportedFormat) as refusal:
            decode(data)
        assert str(refusal.value) == f"unsupported format: {words}"


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    heic = samples()["heic"]
    photo = tmp_path / "IMG_0001.jpg"
    photo.write_bytes(heic.data)
    assert decode(photo.read_bytes()).shape == heic.pixels.shape


def test_every_refusal_has_a_code_of_its_own_and_is_a_value_error() -> None:
    kinds: list[type[ImageError]] = [ImageError, *ImageError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds) == 7
    assert issubclass(ImageError, ValueError)


def test_extensions_are_lower_case_and_cover_what_is_read() -> None:
    assert all(ending == ending.lower() and ending.startswith(".") for ending in EXTENSIONS)
    assert all(any(f".{kind.lower()}" in e for e in EXTENSIONS) for kind in SUPPORTED)
