from __future__ import annotations

import numpy as np

from pawsight.evaluation.curves import counts, curves
from tests.evaluation.test_report import evaluation

LABELS = [0, 0, 1, 1, -1, -1]
LOGITS = [[3.0, -3.0], [0.2, 0.0], [0.1, 0.0], [-3.0, 3.0], [1.0, 0.0], [-5.0, -6.0]]


def test_counts_are_exact_at_every_stop() -> None:
    values = np.random.default_rng(0).random(500)
    truth = values + np.random.default_rng(1).normal(0, 0.3, 500) > 0.5
    stops = [0.0, 0.3, 0.5, 1.0]
    found = counts(values, truth, stops)
    assert found["thresholds"] == sorted(set(found["thresholds"]))
    assert len(found["thresholds"]) <= 204
    for stop in stops:
        at = found["thresholds"].index(stop)
        assert found["true"][at] == (truth & (values >= stop)).sum()
        assert found["false"][at] == (~truth & (values >= stop)).sum()


def test_the_curves_say_what_the_figures_say() -> None:
    model = evaluation("one", LOGITS, LABELS)
    found = curves(model)
    cat = found["classes"]["cat"]
    at = cat["thresholds"].index(0.5)
    assert (cat["true"][at], cat["false"][at]) == (2, 1)
    assert (cat["positives"], cat["negatives"]) == (2, 2)
    assert sum(each["pictures"] for each in found["reliability"]) == 4
    right = sum(each["pictures"] * each["right"] for each in found["reliability"])
    assert right / 4 == model.accuracy
    assert found["any"]["positives"] == 4


def test_without_neither_there_is_no_curve_of_it() -> None:
    found = curves(evaluation("one", LOGITS[:4], LABELS[:4]))
    assert found["any"] is None
    assert found["classes"].keys() == {"cat", "dog"}
    assert curves(evaluation("one", LOGITS[:2], LABELS[:2]))["classes"] == {}
