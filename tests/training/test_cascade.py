"""Thresholds are chosen as promised, and hold in what answers afterwards."""

from __future__ import annotations

import csv
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import pawsight
from pawsight.inference.cascade_card import CascadeFolder
from pawsight.training.cascade import (
    SPARE,
    WEIGHTS,
    Allowance,
    Asked,
    ChoiceError,
    Goal,
    Members,
    choose,
)
from tests.command import run
from tests.drawn import drawn_table
from tests.model_folders import make_model_folder

EXACT = Allowance(accuracy=0.0, catches=0.0)


def asked(rng: np.random.Generator, known: np.ndarray, skill: float) -> Asked:
    """A model that is right, and tells the known from the others, the better the more skilled."""
    margin = rng.normal(skill, 1.0, len(known))
    return Asked(
        right=known & (margin > 0),
        confidence=1 / (1 + np.exp(-2 * np.abs(margin))),
        scores=np.where(known, 3.0, -3.0) * skill + rng.normal(0, 2.0, len(known)),
    )


@pytest.fixture
def members() -> Members:
    rng = np.random.default_rng(4)
    known = rng.random(600) < 0.8
    return Members(asked(rng, known, 1.2), asked(rng, known, 2.5), known)


def test_it_is_as_good_as_the_strong_one_at_less(members: Members) -> None:
    fast, strong, known = members.fast, members.strong, members.known
    for threshold in (-1.0, 0.0, 2.0):
        choice, _ = choose(members, threshold=threshold, allowance=EXACT)
        named = (fast.scores >= choice.accept) & (fast.confidence >= choice.confidence)
        alone = fast.scores < choice.reject
        assert not (alone & known).any()
        low = members.mean_scores(choice.weight) < choice.reject_together
        rejected = np.where(named, False, alone | low)
        right = np.where(named | alone, fast.right, strong.right)
        goal = Goal.of(members, threshold, EXACT)
        assert (right >= strong.right)[known].sum() >= goal.no_worse
        assert rejected[known].sum() <= goal.lost
        assert rejected[~known].sum() >= goal.caught
        assert 0 < choice.outcome.sent_on < 1
        assert choice.outcome.sent_on == pytest.approx((~named & ~alone).mean(), abs=1e-5)
        assert choice.outcome.accuracy == pytest.approx(right[known].mean(), abs=1e-5)
        assert choice.outcome.catches == pytest.approx(rejected[~known].mean(), abs=1e-5)


def test_hardly_any_other_thresholds_would_send_on_less(members: Members) -> None:
    fast, strong, known = members.fast, members.strong, members.known
    choice, _ = choose(members, threshold=0.0, allowance=EXACT)
    low = members.mean_scores(choice.weight) < choice.reject_together
    goal = Goal.of(members, 0.0, EXACT)
    alone = fast.scores < choice.reject
    for confidence in np.quantile(fast.confidence, np.linspace(0, 1, 40)):
        for accept in np.quantile(fast.scores, np.linspace(0, 1, 40)):
            named = (fast.scores >= max(accept, choice.reject)) & (fast.confidence >= confidence)
            rejected = np.where(named, False, alone | low)
            right = np.where(named | alone, fast.right, strong.right)
            if (
                (right >= strong.right)[known].sum() >= goal.no_worse
                and rejected[known].sum() <= goal.lost
                and rejected[~known].sum() >= goal.caught
            ):
                assert (~named & ~alone).mean() >= choice.outcome.sent_on - SPARE - 2 / 600


def test_the_fast_score_counts_where_it_tells_something() -> None:
    rng = np.random.default_rng(1)
    known = rng.random(2000) < 0.8
    fast, strong = (
        replace(asked(rng, known, 1.5), scores=np.where(known, 2.0, -2.0) + rng.normal(0, 2, 2000))
        for _ in range(2)
    )
    choice, _ = choose(Members(fast, strong, known), threshold=-1.0, allowance=EXACT)
    assert choice.weight == 0.5
    assert (choice.outcome.catches or 0) > (strong.scores < -1.0)[~known].mean()
    noise = replace(asked(rng, known, 1.2), scores=rng.normal(0, 40, 2000))
    blind = Members(noise, asked(rng, known, 2.0), known)
    choice, _ = choose(blind, threshold=0.0, allowance=EXACT)
    assert choice.weight == 0.0
    assert choice.reject_together == 0.0  # that of the strong one, as alone


@pytest.mark.parametrize(("seed", "threshold"), [(25, 2.0), (35, 0.0)])
def test_where_the_best_mean_reaches_no_goal_another_does(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    known = rng.random(300) < 0.8
    members = Members(asked(rng, known, 0.6), asked(rng, known, 0.9), known)
    told = {weight: roc_auc_score(known, members.mean_scores(weight)) for weight in WEIGHTS}
    choice, _ = choose(members, threshold=threshold, allowance=EXACT)
    assert choice.weight != max(told, key=lambda weight: told[weight])
    goal = Goal.of(members, threshold, EXACT)
    assert choice.outcome.loses == pytest.approx(goal.lost / known.sum(), abs=0.01)
    assert (choice.outcome.catches or 0) * (~known).sum() >= goal.caught - 0.01


def all_right(known: np.ndarray, confidence: float) -> Asked:
    """Of a model that is right about every picture."""
    sure = np.full(len(known), confidence)
    return Asked(right=known, confidence=sure, scores=np.where(known, 3.0, -3.0))


def test_what_the_fast_one_alone_is_right_about_need_not_be_sent_on() -> None:
    known = np.arange(200) < 160
    first = np.arange(200) < 20
    good = all_right(known, 0.9)
    poor = replace(good, right=known & ~first)
    for fast, accuracy in ((good, 1.0), (poor, 0.875)):
        choice, _ = choose(Members(fast, poor, known), threshold=0.0, allowance=EXACT)
        assert choice.outcome.accuracy == accuracy
        assert choice.outcome.sent_on < 0.25
    choice, _ = choose(Members(poor, good, known), threshold=0.0, allowance=EXACT)
    assert choice.outcome.accuracy == 1.0  # where it is the strong one that is right, they are


def test_whom_the_fast_one_is_unsure_of_is_sent_on_though_it_happens_to_be_right() -> None:
    known = np.arange(1200) < 1000
    doubtful = np.arange(1200) < 10
    strong = all_right(known, 0.99)
    fast = replace(strong, confidence=np.where(doubtful, 0.55, 0.99))
    choice, _ = choose(Members(fast, strong, known), threshold=0.0, allowance=EXACT)
    assert choice.outcome.accuracy == 1.0
    assert 0.55 < choice.confidence <= 0.99
    assert choice.outcome.sent_on == pytest.approx(10 / 1200, abs=1e-5)
    unsure = replace(fast, confidence=np.where(known, 0.55, 0.99))  # too many for what is spared
    choice, _ = choose(Members(unsure, strong, known), threshold=0.0, allowance=EXACT)
    assert choice.outcome.sent_on == 0


def test_an_allowance_sends_on_less_and_the_curve_rises(members: Members) -> None:
    exact, trade = choose(members, threshold=0.0, allowance=EXACT)
    lax, _ = choose(members, threshold=0.0, allowance=Allowance(accuracy=0.05, catches=0.05))
    assert lax.outcome.sent_on < exact.outcome.sent_on
    curve = trade.curve()
    shares = [each.sent_on for each in curve]
    assert shares == sorted(set(shares))
    assert curve[-1].accuracy > curve[0].accuracy
    assert (curve[-1].catches or 0) > (curve[0].catches or 0)


def test_without_neither_the_fast_one_keeps_to_its_own_threshold() -> None:
    rng = np.random.default_rng(4)
    known = np.ones(480, dtype=bool)
    members = Members(asked(rng, known, 1.2), asked(rng, known, 2.5), known)
    choice, _ = choose(members, threshold=0.0, allowance=EXACT, least=1.5)
    assert choice.accept >= 1.5
    assert choice.outcome.catches is None
    assert choice.weight == 0  # nothing tells what the fast score is worth
    with pytest.raises(ChoiceError, match="here are none"):
        choose(replace(members, known=~known), threshold=0.0, allowance=EXACT)
    with pytest.raises(ChoiceError, match="neither, and has nothing to decide"):
        choose(members, threshold=0.0, allowance=EXACT, least=1e9)


def test_where_much_is_lost_it_takes_no_more_memory() -> None:
    rng = np.random.default_rng(4)
    known = rng.random(3000) < 0.8
    members = Members(asked(rng, known, 1.2), asked(rng, known, 2.5), known)
    threshold = float(np.quantile(members.strong.scores[known], 0.1))
    tracemalloc.start()
    choice, _ = choose(members, threshold=threshold, allowance=EXACT)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert choice.outcome.loses <= 0.1
    assert most < 100e6  # of some hundred tables of thresholds there is one at a time


def test_where_all_is_lost_there_are_thresholds_still(members: Members) -> None:
    choice, _ = choose(members, threshold=1e9, allowance=EXACT)
    assert choice.outcome.catches == 1.0


@pytest.fixture
def data(tmp_path: Path, trained: Path) -> Path:
    """A folder with ``labels.csv`` of pictures in ``images``, and a model ``quick``."""
    table = drawn_table(tmp_path / "images", 40, ("cat", "dog", "neither"))
    table["path"] = [Path(path).name for path in table["path"]]
    table.to_csv(tmp_path / "labels.csv", index=False)
    make_model_folder(tmp_path / "quick", threshold=1.0)
    return tmp_path


def options(data: Path) -> list[str | Path]:
    return ["--labels", data / "labels.csv", "--images", data / "images"]


def test_from_two_models_to_one_that_every_command_takes(data: Path, trained: Path) -> None:
    both = data / "both"
    command = [
        "cascade", *options(data), "--fast", data / "quick", "--strong", trained, "--output", both,
    ]  # fmt: skip
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "validation split of labels.csv: 30 pictures" in done.stdout
    folder = CascadeFolder.open(both)
    outcome, measured = folder.card.choice.outcome, folder.card.metrics[0]
    assert measured.pictures == 30  # of 120, the others are for training and testing
    assert measured.sent_on == outcome.sent_on
    assert (measured.accuracy, measured.catches) == (outcome.accuracy, outcome.catches)
    assert str(data) not in (both / "cascade.json").read_text()

    written = {file.name: file.read_bytes() for file in both.iterdir()}
    assert set(written) == {"cascade.json", "README.md", "curve.svg"}
    assert len(written["curve.svg"]) < 60_000
    assert run(*command).exit_code == 0
    assert written == {file.name: file.read_bytes() for file in both.iterdir()}

    done = run("classify", data / "images", "--model", both, "--format", "csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert {row["model"] for row in rows} == {f"both@{folder.version}"}
    assert {row["decided_by"].split("@")[0] for row in rows} <= {"quick", "model"}

    done = run("models", "verify", both)
    assert "quick" in done.stdout
    assert "golden pictures answered as they were in training" in done.stdout
    assert "What each share gives" in run("models", "show", both).stdout

    done = run(
        "evaluate", *options(data), "--model", data / "quick", "--model", both, "--model", trained,
        "--keep-seen", "--json", data / "figures.json", "--html", data / "report.html",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    quick, cascade, strong = json.loads((data / "figures.json").read_text())["models"]
    assert quick["sent_on"] is None
    assert 0 <= cascade["sent_on"] <= 1
    assert cascade["accuracy"] >= strong["accuracy"] - 0.1
    assert cascade["auroc"] is not None
    assert "McNemar" in done.stdout
    assert run("evaluate", *options(data), "--model", both, "--keep-seen").exit_code == 0

    done = run("evaluate", *options(data), "--model", both, "--record", "drawn test")
    assert done.exit_code == 0, done.output
    assert CascadeFolder.open(both).card.metrics[-1].data == "drawn test"
    assert pawsight.load(str(both)).reference.version == folder.version

    picture = data / "images" / "cat_0.png"
    done = run("explain", picture, "--model", both, "--output", data / "why.png")
    assert done.exit_code == 0, done.output
    assert "which named the class" in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--strong": "QUICK"}, "cannot send on to itself"),
        ({"--strong": "nothing"}, "no model 'nothing'"),
        ({"--output": "QUICK"}, "holds a model already"),
        ({"--name": "My Model"}, "'My Model' is no name for a model"),
        ({"--classes": "cat,dog,wolf", "--labels": "WOLF"}, "the table also has wolf"),
    ],
)
def test_what_makes_no_cascade_is_refused_in_words(
    data: Path, trained: Path, change: dict[str, str], words: str
) -> None:
    wolves = (data / "labels.csv").read_text().replace(",neither,", ",wolf,")
    (data / "wolves.csv").write_text(wolves)
    places = {"QUICK": str(data / "quick"), "WOLF": str(data / "wolves.csv")}
    given = {
        "--labels": str(data / "labels.csv"), "--images": str(data / "images"),
        "--fast": str(data / "quick"), "--strong": str(trained), "--output": str(data / "both"),
    } | {name: places.get(value, value) for name, value in change.items()}  # fmt: skip
    done = run("cascade", *(part for pair in given.items() for part in pair))
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (data / "both").exists()


@pytest.mark.parametrize("place", ["labels.csv", "labels.csv/below", "/proc/both"])
def test_where_no_folder_can_be_is_said_before_any_picture_is_looked_at(
    data: Path, trained: Path, place: str
) -> None:
    output = data / place
    done = run(
        "cascade", "--labels", data / "no.csv", "--fast", data / "quick", "--strong", trained,
        "--output", output,
    )  # fmt: skip
    assert done.exit_code == 2
    assert f"cannot write the folder '{output}': " in done.stderr
    assert "no.csv" not in done.stderr


def test_what_no_cascade_can_be_made_of_is_refused_before_any_picture_is_looked_at(
    data: Path, trained: Path
) -> None:
    done = run(
        "cascade", "--labels", data / "no.csv", "--fast", trained, "--strong", "nothing",
        "--output", data / "both",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "no model 'nothing'" in done.stderr


def test_a_strong_model_that_is_none_is_said_and_other_classes_are_left_out(data: Path) -> None:
    rows = (data / "labels.csv").read_text()
    (data / "labels.csv").write_text(rows + rows.splitlines()[1].rpartition(",")[0] + ",bird\n")
    make_model_folder(data / "turned", labels=("dog", "cat"), threshold=1.0)
    right, wrong = data / "quick", data / "turned"
    for fast, strong, said in ((right, wrong, True), (wrong, right, False)):
        done = run(
            "cascade", *options(data), "--output", data / "both", "--fast", fast, "--strong", strong
        )
        assert done.exit_code == 0, done.output
        assert (f"{strong} alone is no better than {fast} alone" in done.stderr) is said
