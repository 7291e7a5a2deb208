"""Windows of pictures, held against a reference."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pawsight.drift.comparison import Decision, WindowComparison, compare
from pawsight.drift.monitor import Monitor
from pawsight.drift.reference import FEWEST, Reference
from tests.clouds import cloud

DECISION = Decision(("cat", "dog"), temperature=1.0, threshold=-1.0)


@pytest.fixture(scope="module")
def reference() -> Reference:
    made = Reference.of(*cloud(900))
    assert made
    return made


def test_of_too_few_pictures_there_is_none() -> None:
    features, logits = cloud(FEWEST)
    assert Reference.of(features, logits)
    assert Reference.of(features[1:], logits[1:]) is None


def test_it_is_small_and_comes_back_as_it_was(reference: Reference, tmp_path: Path) -> None:
    reference.write(tmp_path / "reference.npz")
    assert (tmp_path / "reference.npz").stat().st_size < 100_000
    with np.load(tmp_path / "reference.npz", allow_pickle=False) as kept:
        assert kept["seen"].shape == reference.seen.shape
        assert np.array_equal(kept["logits"], reference.logits)
        assert np.allclose(kept["basis"], reference.basis, atol=1e-3)


def test_pictures_from_the_same_place_are_called_so(reference: Reference) -> None:
    """The level is that of all three tests together."""
    found = [compare(reference, DECISION, *cloud(200, seed), 0.05) for seed in range(1, 200)]
    assert np.mean([each.drifted for each in found]) < 0.12
    assert "are like those" in next(each for each in found if not each.drifted).words


@pytest.mark.parametrize(
    ("shift", "tells"),
    [
        ({"along": 0.7}, "what is seen in them"),
        ({"spread": 1.5}, "what is seen in them"),
        ({"sure": 0.4}, "how sure the model is"),
        ({"dogs": 0.9}, "what they are called"),
        ({"nothing": 0.3}, "what they are called"),
    ],
)
def test_what_has_changed_is_named(
    reference: Reference, shift: dict[str, float], tells: str
) -> None:
    found = compare(reference, DECISION, *cloud(200, 1, **shift), 0.001)
    assert found.drifted
    assert tells in found.words
    assert found.pictures == 200
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-3)
    assert set(found.shares) == {"cat", "dog", "neither"}


def test_each_window_is_looked_at_once(reference: Reference) -> None:
    told: list[WindowComparison] = []
    monitor = Monitor(reference, DECISION, told.append, size=50)
    for number, (features, logits) in enumerate(zip(*cloud(120, 1), strict=True), 1):
        monitor.add(features, logits)
        assert len(told) == number // 50
        assert monitor.waiting == number % 50
    assert monitor.found
    assert monitor.found.windows == 2
    assert monitor.found.comparison is told[-1]
    for features, logits in zip(*cloud(30, 1, dogs=1.0), strict=True):
        monitor.add(features, logits)
    assert told[-1].labels.differs  # 30 of 50 came since


def test_windows_that_are_compared_at_once_are_all_counted_and_the_last_one_stands(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[WindowComparison] = []
    late = threading.Event()

    def slowly(*asked: Any) -> WindowComparison:
        if threading.current_thread() is first:
            late.wait(60)
        return compare(*asked)

    monkeypatch.setattr("pawsight.drift.monitor.compare", slowly)
    monitor = Monitor(reference, DECISION, told.append, size=50)

    def fill(seed: int) -> None:
        for each in zip(*cloud(50, seed), strict=True):
            monitor.add(*each)

    first = threading.Thread(target=fill, args=(1,))
    first.start()
    deadline = time.monotonic() + 60
    while monitor.waiting or not monitor._windows:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    fill(2)
    late.set()
    first.join(60)
    assert monitor.found
    assert monitor.found.windows == 2
    assert monitor.found.comparison is told[0]
    assert len(told) == 2
