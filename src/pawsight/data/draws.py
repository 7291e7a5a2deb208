"""The draw of splits: stratified by label, by a seed, with groups that move whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def draw_splits(
    rows: Sequence[int],
    labels: NDArray[np.str_],
    together: NDArray[np.intp],
    shares: Mapping[str, float],
    seed: int,
) -> NDArray[np.str_]:
    """Draw splits, label by label.

    Args:
        rows: The rows to draw from, in an order that is always the same.
        labels: [N].
        together: [N]: the numbers of the groups that move whole.
        shares: The part of each split but training.
        seed: Of the draw.

    Returns:
        [N]: the splits of ``rows``; what stands in the others means nothing.
    """
    members: dict[int, list[int]] = {}
    for row in rows:
        members.setdefault(int(together[row]), []).append(row)
    pools: dict[str, list[list[int]]] = {}
    for group in members.values():
        counts = Counter(str(labels[row]) for row in group)
        pools.setdefault(max(sorted(counts), key=counts.__getitem__), []).append(group)
    random = np.random.default_rng(seed)
    drawn = np.full(len(labels), "train", dtype="<U10")
    for label in sorted(pools):
        shuffled = [pools[label][place] for place in random.permutation(len(pools[label]))]
        for group, split in zip(shuffled, _deal(list(map(len, shuffled)), shares), strict=True):
            drawn[group] = split
    return drawn


def _deal(sizes: Sequence[int], shares: Mapping[str, float]) -> list[str]:
    """Deal the groups of one label to the splits.

    The largest goes to training and the smallest to the others, so that none is without. Each of
    the rest goes to the emptiest split that it fits into: large groups and small ones then have the
    same chance to be validated and tested with.

    Args:
        sizes: The sizes of the groups, in the order in which they are dealt.
        shares: The part of each split but training.

    Returns:
        A split for each group.
    """
    aims = {name: max(1, round(share * sum(sizes))) for name, share in shares.items()}
    aims = {"train": sum(sizes) - sum(aims.values()), **aims}
    *smallest, largest = sorted(range(len(sizes)), key=sizes.__getitem__)
    dealt = {largest: "train", **dict(zip(smallest, shares, strict=False))}
    lacking = dict(aims)
    for place, name in dealt.items():
        lacking[name] -= sizes[place]
    for place, size in enumerate(sizes):
        if place in dealt:
            continue
        emptiness = {
            name: lacking[name] / aim for name, aim in aims.items() if lacking[name] >= size
        }
        name = max(emptiness or lacking, key=(emptiness or lacking).__getitem__)
        lacking[name] -= size
        dealt[place] = name
    return [dealt[place] for place in range(len(sizes))]
