from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import pandas as pd
import pytest
import torch

import pawsight
from pawsight.batch import Batch
from pawsight.data.pictures import load_pictures
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.artifact import SEEN_FILE, ModelFolder
from pawsight.inference.catalog import load_network, resolve
from pawsight.inference.errors import UnknownModel
from pawsight.models.lightning_module import CatDogClassifier
from pawsight.training import calibrate as calibrating
from pawsight.training import run as training_run
from pawsight.training.checkpoints import WholeCheckpoints
from pawsight.training.export import export_run, refuse_other_model
from pawsight.training.fit import data_module, fit
from pawsight.training.folder import ExportError, write_card
from pawsight.training.networks import load_weights, random_network
from pawsight.training.recipe import SimpleCNNRecipe
from pawsight.training.run import RunError, RunFolder
from pawsight.training.train import begin, train
from pawsight.whole import FRESH
from tests.drawn import draw, drawn_table
from tests.model_folders import make_model_folder
from tests.training.recipes import TINY


class Stop(Exception):
    """Stands for the power going off."""


def stop(*_: object) -> NoReturn:
    raise Stop


def stopping_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = CatDogClassifier.training_step

    def until(self: CatDogClassifier, batch: Batch, index: int) -> torch.Tensor:
        if self.global_step == step:
            raise Stop
        return whole(self, batch, index)

    monkeypatch.setattr(CatDogClassifier, "training_step", until)


def test_a_trained_folder_tells_what_it_was_taught(trained: Path) -> None:
    model = load_network(str(trained))
    for label in ("cat", "dog", "neither"):
        answers = model.predict([draw(label, seed) for seed in range(100, 120)])
        assert sum(answer.label == label for answer in answers) >= 18, label


def test_its_card_says_what_it_reached_and_where_it_comes_from(trained: Path) -> None:
    card = ModelFolder.open(trained).card
    assert card.labels == ("cat", "dog")
    assert {each.data.split()[0] for each in card.metrics} == {"validation", "test"}
    assert all(each.accuracy is not None and each.accuracy >= 0.8 for each in card.metrics)
    assert (
        card.provenance.data
        == "20 photographs of cat, 20 photographs of dog, 20 photographs of neither"
    )
    assert card.provenance.recipe["epochs"] == TINY.epochs
    assert card.rejection.trained
    assert "random weights" in (trained / "README.md").read_text()


def test_its_network_tells_nothing_of_the_machine_that_exported_it(trained: Path) -> None:
    network = (trained / "model.onnx").read_bytes()
    assert str(Path(torch.__file__).parents[1]).encode() not in network
    assert b"stack_trace" not in network


def test_it_carries_the_hashes_of_what_it_was_trained_on(trained: Path) -> None:
    seen = np.fromfile(trained / SEEN_FILE, dtype="<u8").reshape(-1, 4)
    assert len(seen) == 90


def test_logs_are_kept_for_people_and_for_tensorboard(trained: Path) -> None:
    rows = pd.read_csv(trained / "training" / "logs" / "part-0" / "metrics.csv")
    assert {"train_loss", "train_accuracy", "val_loss", "val_accuracy"} <= set(rows)
    assert rows["val_accuracy"].count() == TINY.epochs
    assert list((trained / "training" / "logs" / "part-0").glob("events.*"))


def test_some_epochs_may_go_without_a_validation_but_not_the_last(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = drawn_table(tmp_path / "pictures", labels=("cat", "dog"))
    run = RunFolder(tmp_path / "run")
    with caplog.at_level("INFO", logger="pawsight.training"):
        fit(table, TINY.model_copy(update={"epochs": 5, "validate_every": 2}), run)
    rows = pd.read_csv(run.logs / "part-0" / "metrics.csv")
    assert rows.loc[rows["val_loss"].notna(), "epoch"].tolist() == [1, 3, 4]
    lines = [line for line in caplog.messages if line.startswith("epoch ")]
    assert ["val_loss" in line for line in lines] == [False, True, False, True, True]
    assert run.best.is_file()


def test_a_stop_in_the_last_validation_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = drawn_table(tmp_path / "pictures", labels=("cat", "dog"))
    recipe = TINY.model_copy(update={"epochs": 3, "validate_every": 3})
    whole = fit(table, recipe, RunFolder(tmp_path / "whole"))
    run = RunFolder(tmp_path / "stopped")
    with monkeypatch.context() as patch:
        patch.setattr(CatDogClassifier, "validation_step", stop)
        with pytest.raises(Stop):
            fit(table, recipe, run, checkpoint_every=1)
    assert not run.best.exists()
    resumed = fit(table, recipe, run, resume=True, checkpoint_every=1)
    for (name, expected), got in zip(
        whole.network.state_dict().items(), resumed.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize(("step", "every"), [(8, 2), (11, 2), (11, 1000)])
def test_a_stopped_training_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, every: int
) -> None:
    """Stopped inside an epoch, with and without steps that the last checkpoint does not have.

    Where a training has fewer steps than lie between two checkpoints, its last epoch is kept.
    """
    table = drawn_table(tmp_path / "pictures", labels=("cat", "dog", "neither"))
    recipe = TINY.model_copy(update={"epochs": 4})
    whole = fit(table, recipe, RunFolder(tmp_path / "whole"))
    run = RunFolder(tmp_path / "stopped")
    with monkeypatch.context() as patch:
        stopping_at(step, patch)
        with pytest.raises(Stop):
            fit(table, recipe, run, checkpoint_every=every)
    assert run.last.exists()
    resumed = fit(table, recipe, run, resume=True, checkpoint_every=every)
    parts = [pd.read_csv(part / "metrics.csv") for part in sorted(run.logs.iterdir())]
    assert parts[1]["epoch"].min() > 0  # no epoch that was done is trained again
    for (name, expected), got in zip(
        whole.network.state_dict().items(), resumed.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4, msg=name)


def test_a_training_that_was_moved_keeps_its_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pawsight.models import lightning_module, losses

    table = drawn_table(tmp_path / "pictures")
    with monkeypatch.context() as patch:
        stopping_at(8, patch)
        with pytest.raises(Stop):
            fit(table, TINY, RunFolder(tmp_path / "before"), checkpoint_every=2)
    run = RunFolder(tmp_path / "after")
    (tmp_path / "before").rename(run.path)
    best = run.best.read_bytes()
    whole = losses.open_set_cross_entropy

    def worse(*arguments: torch.Tensor, **how: Any) -> torch.Tensor:
        return whole(*arguments, **how) + 100

    monkeypatch.setattr(lightning_module, "open_set_cross_entropy", worse)
    recipe = TINY.model_copy(update={"epochs": 4})
    fit(table, recipe, run, resume=True, checkpoint_every=2)
    assert run.best.read_bytes() == best
    assert not (tmp_path / "before").exists()


def begun(run: RunFolder, table: pd.DataFrame, checkpoint: bytes = b"") -> None:
    """A training with a checkpoint."""
    run.write(TINY, table)
    run.checkpoints.mkdir()
    run.last.write_bytes(checkpoint)


def test_a_kill_before_thresholds_are_chosen_leaves_no_model(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = RunFolder(trained / "training")
    with monkeypatch.context() as patch:
        patch.setattr(calibrating, "operating_points", power_cut)
        with pytest.raises(KeyboardInterrupt):
            export_run(run, tmp_path / "model", name="drawn")
    with pytest.raises(UnknownModel):
        resolve(str(tmp_path / "model"))
    folder = export_run(run, tmp_path / "model", name="drawn")
    assert folder.card.rejection.points


def test_an_export_takes_no_other_models_place(trained: Path, tmp_path: Path) -> None:
    run = RunFolder(trained / "training")
    refuse_other_model(run, tmp_path / "new")
    refuse_other_model(run, trained)  # its own, of an earlier epoch
    older = shutil.copytree(trained, tmp_path / "older")  # from before recipes had this field
    card = ModelFolder.open(older).card
    card.provenance.recipe.pop("decay")
    write_card(older, card)
    refuse_other_model(run, older)
    make_model_folder(tmp_path / "other")
    with pytest.raises(RunError, match="already holds another model: name another folder"):
        refuse_other_model(run, tmp_path / "other")


def test_a_model_without_a_training_is_not_written_over(trained: Path, tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    model = tmp_path / "model"
    shutil.copytree(trained, model, ignore=shutil.ignore_patterns("training"))
    before = (model / "model.json").read_bytes()
    for resume in (False, True):
        with pytest.raises(RunError, match="already holds a model: name another folder"):
            begin(table, TINY, model, resume=resume)
    assert (model / "model.json").read_bytes() == before
    assert not (model / "training").exists()


def test_a_folder_that_holds_a_training_is_not_overwritten(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    begun(RunFolder(tmp_path / "model" / "training"), table)
    with pytest.raises(RunError, match="already holds a training: go on with it by --resume"):
        train(table, TINY, tmp_path / "model", name="x")


def test_resuming_with_something_else_is_refused_and_named(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    whole = b"PK\5\6" + bytes(18)  # a ZIP with nothing in it
    begun(RunFolder(tmp_path / "model" / "training"), table, whole)
    other = TINY.model_copy(update={"batch_size": 16})
    with pytest.raises(RunError, match="batch_size was 8 when training began and is 16 now"):
        train(table, other, tmp_path / "model", name="x", resume=True)
    with pytest.raises(RunError, match="pictures are not those"):
        train(table[:-1], TINY, tmp_path / "model", name="x", resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_what_a_training_left_that_came_to_nothing_is_in_nobodys_way(
    tmp_path: Path, trained: Path, caplog: pytest.LogCaptureFixture, resume: bool
) -> None:
    """Killed before its first checkpoint, with another recipe and other weights to start from."""
    table = drawn_table(tmp_path / "pictures", per_class=8)
    run = begin(table, TINY, tmp_path / "model", start=trained)
    (run.logs / "part-0").mkdir(parents=True)
    other = TINY.model_copy(update={"batch_size": 16})
    with caplog.at_level("INFO"):
        begin(table, other, tmp_path / "model", resume=resume)
    assert run.read()[0].batch_size == 16
    assert run.origin is None  # random weights, and not those of the one before
    assert ("nothing to resume in" in caplog.text) is resume
    assert not run.logs.exists()
    run.logs.mkdir()
    begin(table, other, tmp_path / "model", resume=True)  # the same again
    assert not run.logs.exists()


def test_a_kill_while_a_training_is_written_down_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)

    def torn(file: Path) -> NoReturn:
        file.with_name(f"{file.name}{FRESH}").write_text('{"name": "ti')
        raise KeyboardInterrupt

    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    for owner, name, attack in (
        (training_run, "written_whole", torn),
        (pd.DataFrame, "to_csv", killed),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, attack)
            with pytest.raises(KeyboardInterrupt):
                begin(table, TINY, tmp_path / "model")
        run = begin(table, TINY, tmp_path / "model", resume=True)
        assert run.is_same(TINY, table)
        run.clear()
        assert not run.path.exists()


def test_what_teachers_said_is_gone_on_with(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    run = begin(table, TINY, tmp_path / "model")
    run.answers.mkdir()
    with pytest.raises(Stop), run.cleared_if_refused():
        raise Stop
    begin(table, TINY, tmp_path / "model", resume=True)
    assert run.answers.exists()
    begin(table, TINY, tmp_path / "model")  # anew
    assert not run.answers.exists()


def test_a_training_that_is_refused_while_it_begins_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    stopping_at(0, monkeypatch)
    with pytest.raises(Stop):
        train(table, TINY, tmp_path / "model", name="x")
    assert list((tmp_path / "model").iterdir()) == []


@pytest.mark.parametrize("best", [False, True])
def test_a_torn_checkpoint_is_said_with_what_can_still_be_done(
    tmp_path: Path, trained: Path, best: bool
) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    run = RunFolder(tmp_path / "model" / "training")
    whole = RunFolder(trained / "training").best.read_bytes()
    begun(run, table, whole[: len(whole) // 2])
    run.best.write_bytes(whole if best else whole[:-100])
    with pytest.raises(RunError, match=r"last.ckpt' is not whole.* to train anew, remove") as said:
        begin(table, TINY, tmp_path / "model", resume=True)
    assert ("pawsight export" in str(said.value)) is best
    if not best:
        with pytest.raises(RunError, match=r"best.ckpt' are not whole"):
            export_run(run, tmp_path / "new", name="x")
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    run.last.write_bytes(damaged)
    with pytest.raises(RunError, match="is not whole"):
        begin(table, TINY, tmp_path / "model", resume=True)


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "checkpoints" / "last.ckpt"
    files = WholeCheckpoints()
    files.save_checkpoint({"step": 1}, file)

    def torn(state: object, stream: BinaryIO) -> None:
        stream.write(b"half")
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", torn)
        with pytest.raises(Stop):
            files.save_checkpoint({"step": 2}, file)
    assert files.load_checkpoint(file, weights_only=True) == {"step": 1}
    files.save_checkpoint({"step": 3}, str(file))
    assert files.load_checkpoint(file, weights_only=True) == {"step": 3}
    assert list(file.parent.iterdir()) == [file]


def test_a_label_that_is_repeated_is_in_the_table(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    with pytest.raises(RunError, match="repeats 'dgo', and the table's labels are cat, dog"):
        begin(table, TINY.model_copy(update={"repeats": {"dgo": 2}}), tmp_path / "model")
    assert not (tmp_path / "model").exists()
    begin(table, TINY.model_copy(update={"repeats": {"neither": 2}}), tmp_path / "model")


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    table = drawn_table(tmp_path, per_class=8, labels=("cat", "neither"))
    with pytest.raises(RunError, match="two classes or more"):
        train(table, TINY, tmp_path / "model", name="x")


def test_the_middle_of_pictures_alone_is_validated_and_served(tmp_path: Path) -> None:
    recipe = TINY.model_copy(update={"crop_fraction": 0.5, "epochs": 1})
    table = drawn_table(tmp_path / "pictures", 20, ("cat", "dog"))
    run = RunFolder(tmp_path / "model" / "training")
    data = data_module(table, recipe, run)
    data.setup("validate")
    [batch] = data.val_dataloader()
    middle = Preprocessing(height=48, width=48, crop_fraction=0.5)
    paths = data.rows("validation")["path"]
    assert np.array_equal(batch.pixels, load_pictures([*paths], middle))
    train(table, recipe, tmp_path / "model", name="middle")
    model = load_network(str(tmp_path / "model"))
    assert model.card.preprocessing == middle
    card = (tmp_path / "model" / "README.md").read_text()
    assert "48×48, stretch, bilinear, of the middle 0.5 of each side" in card


def test_a_training_can_start_from_the_weights_of_another(tmp_path: Path, trained: Path) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    short = TINY.model_copy(update={"epochs": 1, "learning_rate": 1e-9, "ema_decay": 0.0})
    run = begin(table, short, tmp_path / "model", start=trained)
    network = fit(table, short, run).network
    before = random_network(TINY, 2)
    load_weights(before, RunFolder(trained / "training").best)
    torch.testing.assert_close(network.classifier.weight, before.classifier.weight)
    folder = export_run(run, tmp_path / "model", name="x")
    assert folder.card.provenance.started_from == "recipe tiny: random weights"
    with pytest.raises(RunError, match="no training in"):
        begin(table, short, tmp_path / "other", start=tmp_path)


def test_weights_of_another_network_are_refused_before_anything_is_written(
    tmp_path: Path, trained: Path
) -> None:
    table = drawn_table(tmp_path / "pictures", per_class=8)
    wider = TINY.model_copy(update={"network": SimpleCNNRecipe(widths=(8, 16, 24))})
    with pytest.raises(RunError, match="do not fit the network"):
        begin(table, wider, tmp_path / "model", start=trained)
    assert not (tmp_path / "model").exists()


def test_twenty_classes_with_numbers_and_other_scripts_for_names(tmp_path: Path) -> None:
    names = [*map(str, range(17)), "wölfe", "兔子", "заяц"]
    table = drawn_table(tmp_path / "pictures", per_class=4, labels=names)
    recipe = TINY.model_copy(update={"epochs": 1})
    folder = train(table, recipe, tmp_path / "model", name="twenty")
    model = pawsight.load(str(tmp_path / "model"))
    assert set(model.predict(draw("兔子", 9)).probabilities) == set(names)
    assert not folder.card.rejection.trained
    assert folder.card.rejection.points  # chosen without any picture of neither
    assert "expect it to overlook many" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.parametrize("rate", [1e9, 1e3])
def test_a_training_that_diverges_ends_at_once_and_says_so(tmp_path: Path, rate: float) -> None:
    table = drawn_table(tmp_path / "pictures", labels=("cat", "dog"))
    recipe = TINY.model_copy(update={"learning_rate": rate, "optimizer": "sgd"})
    with pytest.raises(RunError, match=r"the training diverged: \w+_loss is .* after epoch \d+\."):
        fit(table, recipe, RunFolder(tmp_path / "run"))


def test_of_a_network_that_diverged_no_model_is_made(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", labels=("cat", "dog"))
    output = tmp_path / "model"
    run = begin(table, TINY.model_copy(update={"epochs": 1}), output)
    fit(table, TINY.model_copy(update={"epochs": 1}), run)
    checkpoint = torch.load(run.best, weights_only=True)
    checkpoint["state_dict"]["network.classifier.weight"] *= 1e9
    torch.save(checkpoint, run.best)
    with pytest.raises(ExportError, match="its training diverged"):
        export_run(run, output, name="model")
    assert not (output / "model.json").exists()
