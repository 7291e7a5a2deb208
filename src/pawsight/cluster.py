"""A Ray cluster, for those who have one."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pawsight.extras import require

LOCAL: Final = "local"
"""The address that stands for a cluster of this machine, which ends with the run."""


_PATIENCE: Final = 10.0  # seconds


class ClusterError(RuntimeError):
    """A cluster that cannot be reached, or cannot do what is asked of it."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster; what fails there is told by its last line.

    Args:
        address: Of the cluster, or :data:`LOCAL`.

    Raises:
        ExtraMissing: Ray is not installed.
        ClusterError: No cluster is at the address, or what was asked of it failed.
    """
    require("ray", "--ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    import ray
    import ray.data

    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    _reach(address)
    try:
        ray.init(
            address,
            include_dashboard=False if address == LOCAL else None,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ClusterError(f"no Ray cluster answers at {address!r}: {error}") from error
    try:
        yield ray
    except ray.exceptions.RayError as error:
        said = str(error).strip().splitlines()
        raise ClusterError(f"the cluster gave up: {said[-1] if said else error!r}") from error
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Ray itself tries for minutes where nothing listens, and then ends the program."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return  # "local", "auto"
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster answers at {address!r}: {error}") from error
