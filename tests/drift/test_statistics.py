"""The tests of two samples, held against scipy and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pawsight.drift import statistics
from pawsight.drift.statistics import chi_square_tail, f_tail, homogeneity, moments, psi


def hotelling(first: np.ndarray, second: np.ndarray) -> float:
    return statistics.hotelling(moments(first), moments(second))


@pytest.mark.parametrize("p", [0.5, 0.05, 0.01, 1e-3, 3e-4])
@pytest.mark.parametrize(("first", "second"), [(32, 1167), (7, 292), (13, 800)])
def test_tails_are_right_or_a_little_large(p: float, first: int, second: int) -> None:
    assert f_tail(stats.f.isf(p, first, second), first, second) / p == pytest.approx(1.07, abs=0.09)
    ours = chi_square_tail(stats.chi2.isf(p, first), first) / p
    assert ours == pytest.approx(1.07, abs=0.09)


def test_hotelling_in_one_direction_is_the_t_test() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(0, 1, (80, 1)), random.normal(0.3, 1, (50, 1))
    theirs = stats.ttest_ind(first[:, 0], second[:, 0]).pvalue
    assert hotelling(first, second) == pytest.approx(theirs, rel=0.1)


def test_hotelling_keeps_its_level_and_sees_a_shift() -> None:
    """Of features that are far from normal, some of them the same thing twice."""
    random = np.random.default_rng(0)

    def drawn(count: int, shift: float) -> np.ndarray:
        sample = random.exponential(1, (count, 8)) + shift
        return np.concatenate([sample, sample[:, :2], np.ones((count, 1))], axis=1)

    same = [hotelling(drawn(500, 0), drawn(200, 0)) for _ in range(400)]
    assert np.mean(np.array(same) < 0.05) == pytest.approx(0.05, abs=0.03)
    moved = [hotelling(drawn(500, 0), drawn(200, 0.2)) for _ in range(50)]
    assert np.mean(np.array(moved) < 0.001) > 0.9


def test_what_never_varies_says_nothing() -> None:
    assert hotelling(np.ones((50, 3)), np.ones((20, 3))) == 1.0
    assert homogeneity(np.array([10, 0]), np.array([5, 0])) == 1.0


def test_counts_keep_their_level_where_some_are_small() -> None:
    random = np.random.default_rng(0)
    shares = [0.495, 0.495, 0.01]
    found = [
        homogeneity(random.multinomial(1000, shares), random.multinomial(200, shares))
        for _ in range(3000)
    ]
    assert np.mean(np.array(found) < 0.01) < 0.016
    assert np.mean(np.array(found) < 0.001) < 0.003


def test_counts_that_differ_are_told_as_scipy_does() -> None:
    first, second = np.array([300, 300, 400]), np.array([80, 60, 60])
    theirs = stats.chi2_contingency([first, second], correction=False).pvalue
    assert homogeneity(first, second) == pytest.approx(theirs, rel=0.3)
    assert homogeneity(first, np.array([10, 10, 180])) == pytest.approx(1e-4)


def test_psi_is_that_of_the_shares() -> None:
    first, second = np.array([5000, 5000]), np.array([3000, 7000])
    expected = (0.5 - 0.3) * np.log(0.5 / 0.3) + (0.5 - 0.7) * np.log(0.5 / 0.7)
    assert psi(first, second) == pytest.approx(expected, rel=1e-3)
    assert psi(first, first) == 0
    assert np.isfinite(psi(first, np.array([10_000, 0])))
