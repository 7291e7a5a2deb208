"""The memory of a training: what it frees stays with it, in large pages."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from typing import Final

SETTINGS: Final = "GLIBC_TUNABLES"
KEPT: Final = ":".join(
    (
        "glibc.malloc.mmap_threshold=268435456",
        "glibc.malloc.trim_threshold=2147483648",
        "glibc.malloc.hugetlb=1",
    )
)

_FIRST_GLIBC: Final = (2, 36)
"""That was seen to take all of them; some before it refuse the first, and the second then harms."""

_BEGUN_ANEW: Final = "PAWSIGHT_BEGUN_ANEW"


def keep_memory() -> None:
    """Begin this process anew, unless glibc has been told what to do with what is freed.

    A training takes and frees maps of many megabytes in every step. By default glibc hands them
    back, and for each the system finds, and fills with zeros, thousands of pages of 4 kB. What
    glibc does is settled before a program begins, by its environment alone. Whoever has set that
    (to nothing, say), or has another C library, is left alone.
    """
    arguments = sys.argv[1:]
    if (
        SETTINGS in os.environ
        or _BEGUN_ANEW in os.environ
        or not _takes_settings()
        or sys.orig_argv[-len(arguments) :] != arguments  # some other program's process
    ):
        return
    settings = {SETTINGS: KEPT, _BEGUN_ANEW: "1"}
    with suppress(OSError):  # it goes without, too
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | settings)  # noqa: S606 - no shell, its own command


def _takes_settings() -> bool:
    library, version = platform.libc_ver()
    numbers = tuple(int(each) for each in version.split(".") if each.isdigit())
    return sys.platform == "linux" and library == "glibc" and numbers >= _FIRST_GLIBC
