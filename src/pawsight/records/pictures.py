"""Kept pictures: files that are named by the digest of their bytes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from pawsight.images.errors import ImageError
from pawsight.images.formats import sniff

_ENDINGS: Final = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
    "HEIC": ".heic",
}
MEDIA_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".tif": "image/tiff",
    **{f".{name}": f"image/{name}" for name in ("png", "webp", "gif", "bmp", "avif", "heic")},
}
"""By the ending of a kept picture's name."""


def digest_of(picture: bytes) -> str:
    """The SHA-256 of a picture's bytes in 64 hexadecimal digits."""
    return hashlib.sha256(picture).hexdigest()


@dataclass(frozen=True)
class Pictures:
    """A folder of kept pictures.

    Attributes:
        folder: Made with the first picture. Each lies in a folder of the first two digits of its
            digest.
    """

    folder: Path

    def keep(self, digest: str, picture: bytes) -> Path:
        """Write a picture, whole or not at all, unless it is there already.

        Args:
            digest: Of its bytes.
            picture: The bytes.

        Raises:
            OSError: It cannot be written.
        """
        if there := self.find(digest):
            return there
        home = self.folder / digest[:2]
        home.mkdir(parents=True, exist_ok=True)
        path = home / (digest + _ending(picture))
        with NamedTemporaryFile(dir=home, prefix=".", delete=False) as file:
            try:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
        return path

    def find(self, digest: str) -> Path | None:
        """Where the picture with this digest lies; None where it is not kept.

        Lists of thousands ask this of each: of names as text, and of a JPEG's first.
        """
        stem = os.path.join(self.folder, digest[:2], digest)
        named = (stem + ending for ending in (*MEDIA_TYPES, ""))
        return next((Path(name) for name in named if os.path.isfile(name)), None)

    def remove(self, digest: str) -> None:
        """Delete a picture, if it is kept.

        Raises:
            OSError: It cannot be deleted.
        """
        if there := self.find(digest):
            there.unlink(missing_ok=True)


def _ending(picture: bytes) -> str:
    try:
        return _ENDINGS[sniff(picture)]
    except ImageError:
        return ""
