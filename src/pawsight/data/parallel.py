"""One function over many files, on all cores: Pillow lets other threads run while it decodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pawsight.cpus import usable_cpus

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""


def map_files(
    function: Callable[[str], Result], paths: Sequence[str], progress: Progress | None = None
) -> list[Result]:
    """Call ``function`` with every path, on as many threads as the process may use processors.

    Args:
        function: What to do with one path.
        paths: The files.
        progress: Called in this thread after each file, in order.

    Returns:
        One result a path, in the order of the paths.
    """
    results = []
    with ThreadPoolExecutor(usable_cpus()) as pool:
        for result in pool.map(function, paths):
            results.append(result)
            if progress:
                progress(len(results), len(paths))
    return results
