from __future__ import annotations

from pathlib import Path

import pytest

import pawsight
from pawsight.evaluation.evaluate import EvaluationError, evaluate
from tests.drawn import drawn_table


def test_it_measures_what_the_classifier_answers(trained: Path, tmp_path: Path) -> None:
    model = pawsight.load(str(trained))
    table = drawn_table(tmp_path, 20, ("cat", "dog", "neither"))
    result = evaluate(model, table["path"].tolist(), table["label"].tolist(), data="drawn")
    answers = model.predict(table["path"].tolist())
    rows = list(zip(answers, table["label"], strict=True))
    named = [max(answer.probabilities, key=answer.probabilities.__getitem__) for answer in answers]
    right = sum(name == label for name, label in zip(named, table["label"], strict=True))
    assert result.accuracy == right / 40
    assert result.rejected.sum() == sum(answer.rejected for answer in answers)
    assert result.confusion["dog"]["dog"] == sum(a.label == label == "dog" for a, label in rows)
    assert sum(sum(row.values()) for row in result.confusion.values()) == 60
    assert result.measurement().pictures == 60


def test_pictures_of_neither_alone_have_a_rejected_part_and_no_accuracy(
    trained: Path, tmp_path: Path
) -> None:
    table = drawn_table(tmp_path, 10, ("neither",))
    result = evaluate(
        pawsight.load(str(trained)), table["path"].tolist(), table["label"].tolist(), data="x"
    )
    assert result.accuracy is None
    assert result.accuracy_interval is None
    assert result.catches is not None
    assert result.catches >= 0.9
    assert result.auroc is None


def test_a_label_that_the_model_does_not_have_is_refused(trained: Path, tmp_path: Path) -> None:
    table = drawn_table(tmp_path, 2, ("cat", "wolf"))
    model = pawsight.load(str(trained))
    with pytest.raises(EvaluationError, match="knows cat, dog; the table also has wolf"):
        evaluate(model, table["path"].tolist(), table["label"].tolist(), data="x")
    with pytest.raises(EvaluationError, match="no pictures"):
        evaluate(model, [], [], data="x")
