from __future__ import annotations

from pathlib import Path

import pytest

from pawsight.training.recipe import RecipeError, load_recipe, shipped_recipes


def test_every_shipped_recipe_can_be_read() -> None:
    assert "simple-cnn" in shipped_recipes()
    for name in shipped_recipes():
        assert load_recipe(name).name == name


def test_what_the_user_changes_is_changed_and_nothing_else() -> None:
    plain, changed = load_recipe("simple-cnn"), load_recipe("simple-cnn", epochs=3, seed=None)
    assert changed == plain.model_copy(update={"epochs": 3})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'\nepoch = 3", "epoch: Extra inputs"),
        ("name = 'x'\nepochs = 0", "epochs: Input should be greater than or equal to 1"),
        ("name = 'x'\n[network]\nwidths = [1, 2]", "network\\..*widths"),
        ("name = 'x'\n[network]\nkind = 'vit'\n[[hints]]\nteacher = 'x'", "of kind simple-cnn"),
        ("name = 'x'\n[augmentation]\nmixup = 0.2\n[[hints]]\nteacher = 'x'", "mixup or cutmix"),
        ("name = 'x'\n[augmentation]\nmin_area = 5", "min_area = 5.* at most 1"),
        ("name = 'x'\n[augmentation]\nflip = 2", "flip = 2.* probability"),
        ("name = ", "is not TOML"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_recipe(str(file))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"shipped are .*simple-cnn"):
        load_recipe("simple-cmm")
