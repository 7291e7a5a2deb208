from __future__ import annotations

import re
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from pawsight.data.augment import Augmentation
from pawsight.training import trial as trying
from pawsight.training import tune as tuning
from pawsight.training.recipe import Recipe, RecipeError, load_recipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.search_space import (
    Choices,
    SearchSpace,
    Span,
    read_search_space,
    values_of,
)
from pawsight.training.study import BEST_FILE, HISTORY_FILE, STUDY_FILE
from pawsight.training.tune import tune
from tests.command import run
from tests.drawn import drawn_table
from tests.training.recipes import TINY

SHORT = TINY.model_copy(update={"epochs": 6, "learning_rate": 1e-7})
SPACE: SearchSpace = {
    "learning_rate": Span(low=1e-3, high=1e-2, log=True),
    "network.stem_width": Span(low=4, high=8),
    "optimizer": Choices(among=("adamw", "sgd")),
}


def test_a_search_finds_a_better_recipe_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = drawn_table(tmp_path / "pictures", 12)
    said: list[str] = []
    whole = trying._fit
    with monkeypatch.context() as patch:

        def power_cut(*arguments: object) -> None:
            if said:
                raise KeyboardInterrupt
            whole(*arguments)  # type: ignore[arg-type]

        patch.setattr(trying, "_fit", power_cut)
        with pytest.raises(KeyboardInterrupt):
            tune(table, SHORT, SPACE, tmp_path / "study", trials=5, progress=said.append)
    found = tune(table, SHORT, SPACE, tmp_path / "study", trials=5, progress=said.append)

    assert [line.split(":")[0] for line in said] == [f"{n} of 5" for n in range(1, 6)]
    assert "learning_rate 1e-07" in said[0], "the recipe as it is comes first"
    assert found.finished + found.pruned == 5
    assert found.before is not None
    assert found.loss < found.before
    best = load_recipe(str(tmp_path / "study" / BEST_FILE))
    assert best == found.recipe
    assert best.learning_rate > 1e-7
    assert best.epochs == 6
    assert "<svg" in (tmp_path / "study" / HISTORY_FILE).read_text()
    assert not (tmp_path / "study" / "attempt").exists()


def test_a_trial_that_is_worse_than_the_others_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses are said in place of being measured: how Optuna decides is not ours to test."""
    losses = iter([1.0, 1.0, 1.0, 1.0, 9.0])

    def say(table: object, recipe: Recipe, folder: RunFolder, watch: trying.TrialWatch) -> None:
        watch.loss = next(losses)
        for epoch in range(3):
            watch._trial.report(watch.loss, epoch)
            watch.pruned = watch._trial.should_prune()

    monkeypatch.setattr(trying, "_fit", say)
    table = drawn_table(tmp_path / "pictures", 4)
    said: list[str] = []
    found = tune(table, SHORT, SPACE, tmp_path / "study", trials=5, progress=said.append)
    assert (found.finished, found.pruned) == (4, 1)
    assert "broken off" in said[-1]


def test_the_recipe_as_it_is_is_tried_again_where_others_were_done_and_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cluster, where several are tried at a time."""
    rates: list[float] = []

    def say(table: object, recipe: Recipe, folder: RunFolder, watch: trying.TrialWatch) -> None:
        rates.append(recipe.learning_rate)
        watch.loss = 9.0 if recipe.learning_rate == SHORT.learning_rate else 1.0

    def by_ray(study: optuna.Study, *arguments: object) -> list[FrozenTrial]:
        killed, done = study.ask(), study.ask()
        assert killed.number == 0
        done.set_user_attr("accuracy", 1.0)
        return [study.tell(done, 1.0)]

    monkeypatch.setattr(trying, "_fit", say)
    monkeypatch.setattr(tuning, "trials_by_ray", by_ray)
    table = drawn_table(tmp_path / "pictures", 4)
    found = tune(table, SHORT, SPACE, tmp_path / "study", trials=1, cluster="somewhere")
    assert found.before is None
    found = tune(table, SHORT, SPACE, tmp_path / "study", trials=3)
    assert rates[0] == SHORT.learning_rate
    assert len(rates) == 2
    assert (found.loss, found.before) == (1.0, 9.0)


def test_a_search_with_something_else_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "_fit", lambda *_: None)
    table = drawn_table(tmp_path / "pictures", 4)
    tune(table, SHORT, SPACE, tmp_path / "study", trials=1)
    with pytest.raises(RunError, match="with another recipe"):
        tune(table, TINY, SPACE, tmp_path / "study", trials=1)
    fewer = {"optimizer": SPACE["optimizer"]}
    with pytest.raises(RunError, match="with another search space and another table"):
        tune(table[:-1], SHORT, fewer, tmp_path / "study", trials=1)


@pytest.mark.parametrize("cluster", [None, "local"])
def test_a_search_that_has_tried_enough_tries_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: str | None
) -> None:
    monkeypatch.setattr(trying, "_fit", lambda *_: None)
    asked: list[int] = []

    def by_ray(*arguments: object) -> list[object]:
        asked.append(int(str(arguments[-2])))
        return []

    monkeypatch.setattr(tuning, "trials_by_ray", by_ray)
    table = drawn_table(tmp_path / "pictures", 4)
    tune(table, SHORT, SPACE, tmp_path / "study", trials=3)
    found = tune(table, SHORT, SPACE, tmp_path / "study", trials=2, cluster=cluster)
    assert found.finished == 3
    assert asked == ([0] if cluster else [])


def test_a_table_that_cannot_be_trained_on_is_not_searched_on(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 4, ("cat", "neither"))
    with pytest.raises(RunError, match="two classes or more"):
        tune(table, SHORT, SPACE, tmp_path / "study", trials=1)
    assert not (tmp_path / "study").exists()


def test_a_search_space_is_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        "[learning_rate]\nlow = 1e-3\nhigh = 1e-2\nlog = true\n"
        "[network.stem_width]\nlow = 4\nhigh = 8\n"
        '[optimizer]\namong = ["adamw", "sgd"]\n'
    )
    assert read_search_space(file) == SPACE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("[learning_rate", "not TOML"),
        ("[learning_rat]\nlow = 1\nhigh = 2", "no 'learning_rat' to be varied; there are"),
        ("[network.width]\nlow = 1\nhigh = 2", "no 'network.width'.*dropout"),
        ("[seed.x]\nlow = 1\nhigh = 2", "none below it"),
        ("[learning_rate]\nlow = 2\nhigh = 1", "must be less than"),
        ("[learning_rate]\nlow = 0\nhigh = 1\nlog = true", "more than 0"),
        ("[optimizer]\namong = []", "must have 2 entries or more"),
        ('[optimizer]\namong = ["adamw", "muo"]', "cannot have {'optimizer': 'muo'}"),
        ('[optimizer]\namong = ["sgd", "muon"]', "has optimizer = 'adamw', which is tried first"),
        ("learning_rate = 3", "a field has `low` and `high`"),
    ],
)
def test_a_search_space_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=words):
        values_of(TINY, read_search_space(file))


def test_the_search_space_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    [shown] = [each for each in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "low" in each]
    (tmp_path / "space.toml").write_text(shown)
    assert (
        len(values_of(load_recipe("simple-cnn"), read_search_space(tmp_path / "space.toml"))) >= 3
    )


def test_a_value_that_no_recipe_can_have_is_refused_in_words(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 4)
    space: SearchSpace = {"ema_decay": Span(low=1.5, high=2.0)}
    with pytest.raises(RecipeError, match="ema_decay"):
        tune(table, SHORT, space, tmp_path / "study", trials=2)


def test_the_command_searches_and_says_what_trains_by_it(tmp_path: Path) -> None:
    drawn_table(tmp_path / "pictures", 10)
    (tmp_path / "recipe.json").write_text(
        SHORT.model_copy(update={"augmentation": Augmentation()}).model_dump_json()
    )
    (tmp_path / "space.toml").write_text("[learning_rate]\nlow = 1e-3\nhigh = 1e-2\n")
    told = run(
        "tune", "--images", tmp_path / "pictures", "--output", tmp_path / "study",
        "--recipe", tmp_path / "recipe.json", "--space", tmp_path / "space.toml", "--trials", 2,
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "the best of 2 recipes" in told.output
    assert f"--recipe {tmp_path / 'study' / BEST_FILE}" in told.output
    wrong = run(
        "tune", "--images", tmp_path / "pictures", "--output", tmp_path / "x", "--space", "no"
    )
    assert wrong.exit_code == 2
    assert "cannot read the search space" in wrong.output


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("--epochs", "holds a search with another recipe: go on with the same"),
        ("--space", "holds a search with another search space: go on with the same"),
        (STUDY_FILE, "is no study that can be gone on with"),
    ],
)
def test_another_search_is_refused_before_any_picture_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, words: str
) -> None:
    monkeypatch.setattr(trying, "_fit", lambda *_: None)
    recipe, space, study = (tmp_path / name for name in ("recipe.json", "space.toml", "study"))
    recipe.write_text(SHORT.model_dump_json())
    space.write_text("[learning_rate]\nlow = 1e-3\nhigh = 1e-2\n")
    tune(drawn_table(tmp_path / "pictures", 4), SHORT, read_search_space(space), study, trials=1)
    if changed == "--space":
        space.write_text("[learning_rate]\nlow = 1e-3\nhigh = 2e-2\n")
    elif changed == STUDY_FILE:
        (study / STUDY_FILE).write_text("no database " * 100)
    more = ("--epochs", "2") if changed == "--epochs" else ()
    told = run(
        "tune", "--labels", tmp_path / "no.csv", "--output", study, "--recipe", recipe,
        "--space", space, *more,
    )  # fmt: skip
    assert told.exit_code == 2
    assert words in told.stderr
