from __future__ import annotations

import numpy as np
import pytest

from pawsight.evaluation.rejection import operating_points
from pawsight.inference.rejection import Rejection


def test_the_next_picture_is_lost_as_often_as_it_says() -> None:
    random, lost = np.random.default_rng(0), []
    for _ in range(4000):
        [point] = operating_points(random.normal(size=199), losses=(0.05,))
        assert point.loses == 0.05
        lost.append(random.normal() < point.threshold)
    # 95 % of means of 4,000 such draws lie within 0.007.
    assert np.mean(lost) == pytest.approx(0.05, abs=0.01)


def test_the_stated_intervals_cover_as_often_as_they_say() -> None:
    from scipy.stats import norm

    random, covered = np.random.default_rng(0), []
    for _ in range(2000):
        [point] = operating_points(random.normal(size=500), losses=(0.02,))
        truth = norm.cdf(point.threshold)  # what the threshold at hand loses in the long run
        low, high = point.loses_interval
        covered.append(low <= truth <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_what_few_pictures_cannot_promise_is_not_promised() -> None:
    [lowest] = operating_points(np.arange(9.0), losses=(0.001, 0.01, 0.1))
    assert lowest.loses == 0.1
    assert lowest.threshold == 0.0  # below all nine
    assert lowest.loses_interval[1] > 0.3


def test_the_pictures_of_none_that_are_caught_are_counted() -> None:
    known, background = np.linspace(0, 10, 999), np.linspace(-9.5, 0.5, 100)
    points = operating_points(known, background, losses=(0.01, 0.1))
    assert [point.catches for point in points] == [0.95, 1.0]
    low, high = points[0].catches_interval or (0, 0)
    assert low < 0.95 < high
    assert operating_points(known)[0].catches is None


def test_the_user_chooses_the_threshold_by_what_may_be_lost() -> None:
    points = operating_points(np.random.default_rng(0).normal(size=999))
    rejection = Rejection(threshold=points[0].threshold, points=points, trained=False)
    assert rejection.losing(0.01) == rejection.losing(0.015)
    assert rejection.losing(0.02) > rejection.losing(0.01)
    assert rejection.losing(0) == float("-inf")
    with pytest.raises(ValueError, match=r"at most 0.0005 .* known are 0.001, 0.002, 0.005"):
        rejection.losing(0.0005)
    with pytest.raises(ValueError, match="none is known"):
        Rejection(threshold=0.0, trained=False).losing(0.01)


def test_pictures_that_tie_are_not_rejected_together() -> None:
    tied = np.concatenate([np.full(40, 1.23456), np.linspace(2, 3, 960)])
    [point] = operating_points(tied, losses=(0.001, 0.01, 0.03))
    assert (tied >= point.threshold).all()
    assert point.loses == pytest.approx(30 / 1001, abs=1e-5)
