"""What is done with freed memory, and with what is never freed."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any, Final

_YOUNG: Final = 50_000
"""Objects, made and not freed by themselves, after which the garbage collector looks at them."""

_M_ARENA_MAX: Final = -8  # of glibc's malloc.h


def share_memory() -> None:
    """Have all threads allocate from the same two heaps; before any of them begins.

    By default glibc has up to eight a processor, each of which keeps what its threads have freed.
    """
    if mallopt := _of_glibc("mallopt"):
        mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system: reading a network takes several times what it needs."""
    if trim := _of_glibc("malloc_trim"):
        trim(0)


def settle() -> None:
    """Have the garbage collector look no more at what is there now, and stays; and look seldom.

    Else it looks through all of it from time to time, and nobody is answered meanwhile. What is
    there now and is dropped later is still freed, unless it refers to itself. And it looks when
    requests have left so many objects that refer to themselves, which takes some hundred of them.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)


def _of_glibc(name: str) -> Any:  # noqa: ANN401 - a C function, or None where there is no glibc
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
