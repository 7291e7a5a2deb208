from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pawsight.evaluation.metrics import (
    expected_calibration_error,
    fit_temperature,
    mcnemar,
    wilson_interval,
)
from pawsight.inference.prediction import softmax


def drawn(shares: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
    """A class for each row of probabilities [N, C]."""
    beyond = shares.cumsum(axis=1) > random.random((len(shares), 1))
    classes: NDArray[np.intp] = beyond.argmax(axis=1)
    return classes


def test_a_forecaster_who_is_as_often_right_as_he_says_has_no_calibration_error() -> None:
    shares = np.tile([[0.8, 0.2]], (1000, 1))
    labels = np.array([0] * 800 + [1] * 200)
    assert expected_calibration_error(shares, labels) == pytest.approx(0.0)


def test_one_who_is_always_sure_and_half_the_time_wrong_has_one_of_a_half() -> None:
    shares = np.tile([[1.0, 0.0]], (1000, 1))
    labels = np.array([0, 1] * 500)
    assert expected_calibration_error(shares, labels) == pytest.approx(0.5)


def test_the_temperature_that_was_put_in_comes_out() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, (20_000, 3)).astype(np.float32)
    labels = drawn(softmax(honest), random)
    assert fit_temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.05)


def test_a_temperature_leaves_doubt_where_everything_was_right() -> None:
    logits = np.tile(np.array([[3.0, -3.0]], dtype=np.float32), (50, 1))
    shares = softmax(logits, fit_temperature(logits, np.zeros(50, dtype=np.intp)))
    assert 0.9 < shares[0, 0] < 0.999


def test_a_few_wrong_labels_do_not_make_a_good_network_doubt() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 8, (20_000, 2)).astype(np.float32)
    labels = drawn(softmax(honest), random)
    labels[random.choice(len(labels), 60, replace=False)] ^= 1
    assert fit_temperature(honest, labels) == pytest.approx(1.0, rel=0.05)
    assert fit_temperature(honest, labels, label_noise=0.0) > 1.1


def test_models_differ_by_chance_or_not() -> None:
    # 8 pictures that one alone gets right against 2: binomial(10, 1/2), both tails from 8 on.
    one = np.array([True] * 8 + [False] * 2 + [True] * 90)
    other = np.array([False] * 8 + [True] * 2 + [True] * 90)
    assert mcnemar(one, other) == pytest.approx(2 * (45 + 10 + 1) / 1024)
    assert mcnemar(one, other) == mcnemar(other, one)
    assert mcnemar(one, one) == 1.0


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [(0, 0, (0, 1)), (10, 10, (0.722, 1.0)), (50, 100, (0.404, 0.596))],
)
def test_intervals_of_proportions(
    successes: int, trials: int, expected: tuple[float, float]
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=1e-3)
