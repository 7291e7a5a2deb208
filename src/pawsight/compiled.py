"""Functions of the libraries that the install compiles, where there is a C compiler."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Final

ADDRESS: Final = ctypes.c_void_p
NUMBER: Final = ctypes.c_int32


def function_of(
    library: Path, name: str, *arguments: type[ctypes.c_void_p | ctypes.c_int32]
) -> Callable[..., None] | None:
    """A function of a library; None where that was not compiled, or is another.

    It is to give 0, or 1 where there is no memory, for which :class:`MemoryError` is raised. While
    it works, other threads run.

    Args:
        library: The file.
        name: Of the function.
        arguments: What it takes, in order.
    """
    try:
        function = getattr(ctypes.CDLL(str(library)), name)
    except (OSError, AttributeError):
        return None
    function.argtypes = arguments
    function.restype = ctypes.c_int

    def call(*given: int | None) -> None:
        if function(*given):
            raise MemoryError

    return call
