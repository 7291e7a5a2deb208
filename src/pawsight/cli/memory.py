"""The memory of a training: what it frees stays with it, in large pages."""

from __future__ import annotations

import os
import sys
from typing import Final

SETTINGS: Final = "GLIBC_TUNABLES"
KEPT: Final = ":".join(
    (
        "glibc.malloc.mmap_threshold=268435456",
        "glibc.malloc.trim_threshold=2147483648",
        "glibc.malloc.hugetlb=1",
    )
)


def keep_memory() -> None:
    """Begin this process anew, unless glibc has been told to keep what is freed.

    A training takes and frees maps of many megabytes in every step. By default glibc hands them
    back, and for each the system finds, and fills with zeros, thousands of pages of 4 kB. What
    glibc does is settled before a program begins, by its environment alone. Whoever has set that,
    or has another C library, is left alone.
    """
    if sys.platform == "linux" and sys.executable and SETTINGS not in os.environ:
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | {SETTINGS: KEPT})  # noqa: S606 - no shell, its own command
