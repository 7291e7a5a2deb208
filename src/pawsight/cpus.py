"""How many processors this process may really use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cpus(cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """Processors by affinity and by the container's quota (cgroup v2 and v1), at least 1.

    A container of two processors on a host of 64 has 64 in :func:`os.cpu_count`; threads for all
    of them only fight each other.

    Args:
        cgroups: Where control groups are mounted.
        membership: Says in which of them this process is; any group around it may have a quota.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = [math.ceil(each) for each in _quotas(cgroups, membership)]
    return max(1, min([count, *quotas]))


def _quotas(cgroups: Path, membership: Path) -> Iterator[float]:
    for group in _groups(cgroups, membership):
        limit, _, period = _read(group / "cpu.max").partition(" ")
        if not period:
            limit, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
        try:
            quota = float(limit) / float(period)
        except (ValueError, ZeroDivisionError):
            continue  # "max", or no such file
        if quota > 0:  # v1 says -1 where there is none
            yield quota


def _groups(cgroups: Path, membership: Path) -> Iterator[Path]:
    """The folders of the process's groups and of those around them.

    A container sees its own group as the root, whatever its path is called outside.
    """
    yield from (cgroups, cgroups / "cpu")
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            root = cgroups / "cpu" if controllers else cgroups
            group = Path(path.lstrip("/"))
            yield from (root / each for each in (group, *group.parents))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
