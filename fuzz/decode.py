"""Hostile bytes for `decode`, guided by the coverage of pawsight's own code (atheris).

    pip install atheris
    python fuzz/decode.py -max_total_time=600 [CORPUS_FOLDER]

Whatever the bytes are, the answer is a picture or a refusal in words; anything else ends the run,
and the bytes that led there are written to a file. The first inputs are small pictures of every
format.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris
import numpy as np

with atheris.instrument_imports(include=["pawsight"]):
    from pawsight.images.decode import Limits, decode
    from pawsight.images.errors import ImageError

from PIL import Image

_LIMITS: Final = Limits(max_bytes=1_000_000, max_pixels=1_000_000)
_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")


def one_input(data: bytes) -> None:
    """Decode some bytes, whole and for a small size."""
    for at_least in (None, (32, 32)):
        try:
            pixels = decode(data, limits=_LIMITS, at_least=at_least)
        except ImageError as refusal:
            if not str(refusal).isprintable():
                raise RuntimeError(f"words that cannot be printed: {refusal}") from refusal
            continue
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise RuntimeError(f"no RGB picture: {pixels.dtype} {pixels.shape}")


def write_seeds(folder: Path) -> None:
    """A picture of every format."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    picture = Image.fromarray(np.arange(24 * 16 * 3, dtype=np.uint8).reshape(16, 24, 3))
    for kind in _FORMATS:
        file = io.BytesIO()
        picture.save(file, kind)
        (folder / kind.lower()).write_bytes(file.getvalue())


def main() -> None:
    """Fuzz until libFuzzer's own options say otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(Path(folder))
        atheris.Setup([*sys.argv, folder], one_input)
        atheris.Fuzz()


main()
