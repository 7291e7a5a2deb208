"""Two samples: do they come from the same place?

P-values are by approximations that are a little too large in the far tail, never too small there (a
test holds them against scipy, which serving does not need).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_SURE: Final = 0.02  # Pearson's statistic is asked again by drawing where its p is less,
_FEW: Final = 5  # and fewer than so many of a kind are expected (Cochran 1954)
_DRAWS: Final = 9999
_SMOOTH: Final = 0.5  # is added to each count of a PSI, which is infinite where one is 0


class Moments(NamedTuple):
    """What Hotelling's test asks of a sample.

    Attributes:
        size: N.
        mean: [K].
        scatter: [K, K], the sum of squares and products about the mean.
    """

    size: int
    mean: Floats
    scatter: Floats


def moments(rows: Floats) -> Moments:
    """Of a sample [N, K].

    By :func:`numpy.einsum`, which has no threads: those of a matrix product go on spinning for
    longer than all of this takes, on processors that others wait for.
    """
    mean = rows.mean(axis=0)
    rest = rows - mean
    return Moments(len(rows), mean, np.einsum("ni,nj->ij", rest, rest))


def hotelling(first: Moments, second: Moments) -> float:
    """The p-value of Hotelling's two-sample T² test: do the means differ?

    Hotelling 1931, *The generalization of Student's ratio*; on features of a network as a test of
    drift: Rabanser et al. 2019, *Failing loudly*. Directions in which nothing varies are left out.

    Args:
        first: Of N pictures.
        second: Of M; N + M is greater than K + 1.
    """
    count, other = first.size, second.size
    freedom = count + other - 2
    distance, dimensions = _mahalanobis(
        first.mean - second.mean, (first.scatter + second.scatter) / freedom
    )
    if not dimensions:
        return 1.0
    squared = count * other / (count + other) * distance
    ratio = (freedom + 1 - dimensions) / (freedom * dimensions) * squared
    return f_tail(ratio, dimensions, freedom + 1 - dimensions)


def _mahalanobis(apart: Floats, covariance: Floats) -> tuple[float, int]:
    """Squared, and in how many directions there is any variance.

    By Cholesky's decomposition with pivots, which ends where nothing is left.
    """
    rest, left = covariance.copy(), apart.copy()
    least = 1e-9 * rest.diagonal().max(initial=0.0)
    squared, dimensions = 0.0, 0
    while dimensions < len(left):
        pivot = int(rest.diagonal().argmax())
        if rest[pivot, pivot] <= least:
            break
        column = rest[:, pivot] / math.sqrt(rest[pivot, pivot])
        step = left[pivot] / column[pivot]
        squared += float(step) ** 2
        left -= step * column
        rest -= column[:, None] * column
        dimensions += 1
    return squared, dimensions


def homogeneity(first: Counts, second: Counts) -> float:
    """The p-value of Pearson's chi-square test: do two samples have the same shares?

    No less than 1 / 10,000. Where it is small and some counts are too, so that it may be wrong, the
    statistic is compared with those of as many samples that are drawn from both together.

    Args:
        first: How many of each kind [B].
        second: Likewise.
    """
    both = first + second
    used = both > 0
    first, second, both = first[used], second[used], both[used]
    expected = both * (second.sum() / both.sum())

    def statistic(drawn: Counts) -> Floats:
        squares: Floats = ((drawn - expected) ** 2 / expected).sum(axis=-1)
        scaled: Floats = squares * (both.sum() / max(first.sum(), 1))
        return scaled

    found = float(statistic(second))
    rough = chi_square_tail(found, len(both) - 1)
    if rough >= _SURE or expected.min() >= _FEW:
        return max(rough, 1 / (_DRAWS + 1))
    random = np.random.default_rng(0)
    drawn = random.multivariate_hypergeometric(both, int(second.sum()), _DRAWS, method="marginals")
    return (1 + int((statistic(drawn) >= found - 1e-9).sum())) / (_DRAWS + 1)


def psi(first: Counts, second: Counts) -> float:
    """The population stability index of two samples: the symmetric divergence of their shares.

    It has no level: by a rule of thumb, 0.1 is a small change and 0.25 a large one. (Yurdakul 2018,
    *Statistical properties of population stability index*: without any change it is about
    (B - 1) (1 / N + 1 / M).)

    Args:
        first: How many of each kind [B].
        second: Likewise.
    """
    shares = [(each + _SMOOTH) / (each + _SMOOTH).sum() for each in (first, second)]
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def f_tail(value: float, first: int, second: int) -> float:
    """P(F > value) for degrees of freedom, by a normal approximation (Paulson 1942)."""
    root, own, other = value ** (1 / 3), 2 / (9 * first), 2 / (9 * second)
    return _normal_tail(((1 - other) * root - (1 - own)) / math.sqrt(other * root * root + own))


def chi_square_tail(value: float, freedom: int) -> float:
    """P(X > value) for degrees of freedom, by a normal approximation (Wilson and Hilferty 1931)."""
    if freedom < 1:
        return 1.0
    part = 2 / (9 * freedom)
    return _normal_tail(((value / freedom) ** (1 / 3) - (1 - part)) / math.sqrt(part))


def _normal_tail(value: float) -> float:
    return math.erfc(value / math.sqrt(2)) / 2
