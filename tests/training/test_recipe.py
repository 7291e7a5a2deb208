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
        ("name = 'x'\nepoch = 3", "epoch: is not known here"),
        ("name = 'x'\nepochs = 0", "epochs: must be 1 or more$"),
        ("name = 'x'\nimage_size = 4096", "image_size: must be 2048 or less$"),
        ("name = 'x'\ncrop_fraction = 0", "crop_fraction: must be more than 0"),
        ("name = 'x'\nseed = -1", "seed: must be 0 or more$"),
        ("name = 'x'\nseed = 4294967296", "seed: must be less than 4294967296$"),
        ("name = 'x'\n[network]\nwidths = [1, 2]", "network\\..*widths"),
        ("name = 'x'\n[network]\nkind = 'vit'\n[[hints]]\nteacher = 'x'", "of kind simple-cnn"),
        ("name = 'x'\n[augmentation]\nmixup = 0.2\n[[hints]]\nteacher = 'x'", "mixup or cutmix"),
        ("name = 'x'\n[augmentation]\nmin_area = 5", "min_area = 5.* at most 1"),
        ("name = 'x'\n[augmentation]\nflip = 2", "flip = 2.* probability"),
        ("name = 'x'\n[augmentation]\nbrightness = -0.3", "brightness = -0.3 is to be 0"),
        ("name = 'x'\n[augmentation]\nmixup = -1", "mixup = -1.* is to be 0"),
        ("name = 'x'\n[augmentation]\nmin_aera = 0.5", "min_aera: is not known here$"),
        ("name = 'x'\nlearning_rate = inf", "learning_rate: must be a finite number$"),
        ("name = 'x'\nrestarts = [[0, 0.5]]", "restarts.0.0: must be 1 or more$"),
        ("name = 'x'\nrestarts = [[3, -0.5]]", "restarts.0.1: must be more than 0"),
        ("name = 'x'\n[network]\nresiduals = [1, -1, 1]", "must be 0 or more$"),
        ("name = 'x'\n[network]\nkind = 'vit'\nheads = 5", "width = 384 .* of heads = 5"),
        ("name = 'x'\nepochs = 'many'", "epochs: must be a whole number$"),
        ("name = 'x'\noptimizer = 'sdg'", "optimizer: must be 'adamw', 'sgd' or 'muon'$"),
        ("name = 'x'\n[network]\nkind = 'resnet'", "network: .*kinds 'simple-cnn', 'vit'$"),
        ("name = 'x'\n[[hints]]\nteacher = 'x'\ncomponents = 99999", "must be 4096 or less$"),
        ("name = 'x'\ntraining_sizes = [[7, 96]]", "begins at epoch 7: .* that of epoch 0$"),
        ("name = 'x'\ntraining_sizes = [[0, 64], [9, 96], [7, 80]]", "epochs 0, 9, 7: each must"),
        ("name = 'x'\ntraining_sizes = [[0, 0]]", "must be 32 or more$"),
        (
            "name = 'x'\nepochs = 9\ntraining_sizes = [[0, 64], [9, 96]]",
            "has 96 from epoch 9 on, which is never reached: the last of its 9 is 8",
        ),
        ("name = ", "is not TOML"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_recipe(str(file))


def test_a_recipe_may_begin_with_a_mark_and_is_utf8(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("name = 'x'\nepochs = 3", encoding="utf-8-sig")
    assert load_recipe(str(file)).epochs == 3
    file.write_text("name = 'x'", encoding="utf-16")
    with pytest.raises(RecipeError, match="is not UTF-8: save it so"):
        load_recipe(str(file))


def test_a_shipped_recipe_can_be_made_shorter_than_its_schedule_and_read_again(
    tmp_path: Path,
) -> None:
    short = load_recipe("simple-cnn", epochs=3)
    file = tmp_path / "recipe.json"
    file.write_text(short.model_dump_json())
    assert load_recipe(str(file)) == short


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"shipped are .*simple-cnn"):
        load_recipe("simple-cmm")
