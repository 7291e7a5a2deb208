"""Two samples: do they come from the same place?

P-values are by approximations that are a little too large in the far tail, never too small there (a
test holds them against scipy, which serving does not need).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_SURE: Final = 0.02  # Pearson's statistic is asked again by drawing where its p is less
_DRAWS: Final = 9999
_SMOOTH: Final = 0.5  # is added to each count of a PSI, which is infinite where one is 0


def hotelling(first: Floats, second: Floats) -> float:
    """The p-value of Hotelling's two-sample T² test: do the means differ?

    Hotelling 1931, *The generalization of Student's ratio*; on features of a network as a test of
    drift: Rabanser et al. 2019, *Failing loudly*. Directions in which nothing varies are left out.

    Args:
        first: [N, K].
        second: [M, K]; N + M is greater than K + 1.
    """
    count, other = len(first), len(second)
    freedom = count + other - 2
    rest = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
    variances, directions = np.linalg.eigh(rest.T @ rest / freedom)
    kept = variances > 1e-9 * variances[-1]
    if not kept.any():
        return 1.0
    apart = (first.mean(axis=0) - second.mean(axis=0)) @ directions[:, kept]
    squared = count * other / (count + other) * float((apart**2 / variances[kept]).sum())
    dimensions = int(kept.sum())
    ratio = (freedom + 1 - dimensions) / (freedom * dimensions) * squared
    return f_tail(ratio, dimensions, freedom + 1 - dimensions)


def homogeneity(first: Counts, second: Counts) -> float:
    """The p-value of Pearson's chi-square test: do two samples have the same shares?

    Where it is small, and so may be wrong if some counts are, the same statistic is compared with
    those of samples that are drawn from both together, to 1 / 10,000.

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
    if rough >= _SURE:
        return rough
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
