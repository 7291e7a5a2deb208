"""How many processors this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """Processors by affinity and by the container's quota (cgroup v2 and v1), at least 1.

    A container of two processors on a host of 64 has 64 in :func:`os.cpu_count`; threads for all
    of them only fight each other.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, min(count, math.ceil(quota)) if quota else count)


def _quota(cgroup: Path) -> float | None:
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        limit, period = (
            _read(cgroup / "cpu/cpu.cfs_quota_us"),
            _read(cgroup / "cpu/cpu.cfs_period_us"),
        )
    try:
        quota = float(limit) / float(period)
    except (ValueError, ZeroDivisionError):
        return None
    return quota if quota > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
