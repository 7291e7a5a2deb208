"""Parts of pawsight that not everyone installs."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

_EXTRAS: Final = {
    "client": (("httpx",), "httpx"),
    "hub": (("huggingface_hub", "onnx"), "huggingface_hub and onnx"),
    "openvino": (("openvino",), "OpenVINO"),
    "parquet": (("pyarrow",), "pyarrow"),
    "postgres": (("psycopg",), "psycopg"),
    "ray": (("ray", "pyarrow"), "ray and pyarrow"),
    "remote": (("fsspec",), "fsspec"),
    "train": (
        ("pandas", "imagehash", "torch", "lightning", "transformers"),
        "torch, Lightning, transformers, pandas and others",
    ),
    "ui": (("streamlit",), "Streamlit"),
}


class ExtraMissing(ImportError):
    """An extra is not installed; the words say what brings it."""


def require(extra: str, purpose: str) -> None:
    """Make sure that an extra is installed.

    Args:
        extra: ``client``, ``hub``, ``openvino``, ``parquet``, ``postgres``, ``ray``, ``remote``,
            ``train`` or ``ui``.
        purpose: What needs it, the beginning of the sentence that refuses.

    Raises:
        ExtraMissing: It is not.
    """
    modules, what = _EXTRAS[extra]
    if any(find_spec(name) is None for name in modules):
        raise ExtraMissing(
            f"{purpose} needs {what}, which the extra {extra!r} brings (where the source is: "
            f"`pip install '.[{extra}]'`)"
        )
