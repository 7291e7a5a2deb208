"""A new head on a trained model's features, from the table to the answers."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import pawsight
from pawsight.data.augment import Augmentation
from pawsight.inference.artifact import BACKGROUND_FILE, QUANTISED_FILE, ModelFolder
from pawsight.inference.catalog import resolve
from pawsight.inference.classifier import Classifier
from pawsight.inference.explain import explain
from pawsight.inference.rejection import OperatingPoint, Rejection
from pawsight.labels import BACKGROUND, NEITHER
from pawsight.training import background as background_module
from pawsight.training import transfer as module
from pawsight.training.background import add_background, read_background, unlike
from pawsight.training.features import Features, augmented
from pawsight.training.graft import read_head
from pawsight.training.head import Head, fit_head
from pawsight.training.headed import write_headed
from pawsight.training.run import RunError
from pawsight.training.train import train
from pawsight.training.transfer import transfer, warn_of_passing
from tests.drawn import draw, drawn_table
from tests.model_folders import make_model_folder
from tests.training.recipes import TINY

OWN = ("wolf", "lièvre", "7")
COLOURS = {"wolf": (220, 200, 40), "lièvre": (150, 40, 190), "7": (230, 230, 230)}


@pytest.fixture(scope="module")
def own_table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Blots in colours that the trained model has no classes for."""
    home = tmp_path_factory.mktemp("own")
    table = drawn_table(home, 24, OWN)
    for path, label in zip(table["path"], table["label"], strict=True):
        recolour(Image.open(path), label).save(path)
    return table


def recolour(picture: Image.Image, label: str) -> Image.Image:
    ImageDraw.Draw(picture).ellipse((8, 6, 62, 54), fill=COLOURS[label])
    return picture


@pytest.fixture(scope="module")
def own(own_table: pd.DataFrame, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of its own classes on the features of the one of drawn cats and dogs."""
    output = tmp_path_factory.mktemp("transfer") / "model"
    transfer(own_table, ModelFolder.open(trained), output, name="own")
    return output


def test_it_tells_the_new_classes_apart_and_rejects_the_old_ones(own: Path) -> None:
    model = pawsight.load(str(own))
    assert model.card.labels == ("7", "lièvre", "wolf")
    for label in OWN:
        answers = model.predict([recolour(draw(label, seed), label) for seed in range(100, 120)])
        assert sum(answer.label == label for answer in answers) >= 16, label
    unrelated = [draw(label, seed) for label in ("cat", "dog") for seed in range(100, 120)]
    assert sum(answer.rejected for answer in model.predict(unrelated)) >= 36


def test_what_spoke_for_an_answer_adds_up_to_its_logit(own: Path) -> None:
    explanation = explain(pawsight.load(str(own)), draw("cat", 1), "lièvre")
    assert explanation.method == "class activation map"
    assert explanation.places.mean() == pytest.approx(explanation.logit, abs=1e-3)


def test_its_card_says_what_it_started_from_and_it_is_as_small(own: Path, trained: Path) -> None:
    folder, parent = ModelFolder.open(own), ModelFolder.open(trained)
    origin = folder.card.provenance
    assert origin.started_from == f"drawn {parent.version} (random weights)"
    assert origin.licence == parent.card.provenance.licence
    assert folder.card.rejection.trained
    assert {each.data.split()[0] for each in folder.card.metrics} == {"validation", "test"}
    assert folder.size < 1.1 * parent.size
    assert len((own / "seen.bin").read_bytes()) > len((trained / "seen.bin").read_bytes())


def test_it_can_be_started_from_again(own: Path, tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "pictures", 12)
    transfer(table, ModelFolder.open(own), tmp_path / "model", name="back")
    assert pawsight.load(str(tmp_path / "model")).predict(draw("cat", 200)).label == "cat"


def test_a_network_in_int8_gets_the_new_head_too(own_table: pd.DataFrame, tmp_path: Path) -> None:
    recipe = TINY.model_copy(update={"arithmetic": "int8", "epochs": 8})
    table = drawn_table(tmp_path / "pictures", 16, ("cat", "dog", "neither"))
    parent = train(table, recipe, tmp_path / "parent", name="drawn")
    folder = transfer(own_table, parent, tmp_path / "model", name="own")
    assert QUANTISED_FILE in folder.card.files
    model = Classifier(folder, precision="int8")
    logits, class_map = model.run_with_map(model.tensor([model.read(draw("cat", 3))]))
    np.testing.assert_allclose(class_map.mean((2, 3)), logits, atol=1e-3)


def test_a_head_of_long_weights_is_served_in_int8_like_its_parent(
    own_table: pd.DataFrame, tmp_path: Path
) -> None:
    parent = Classifier(resolve("custom").open(), precision="float32")
    before = read_head(parent.folder.network)
    folder = write_headed(
        parent,
        Head(20 * before.weight, before.bias),
        tmp_path / "model",
        name="own",
        labels=("one", "other"),
        table=own_table,
        recipe={},
        seed=0,
        trained=True,
    )
    assert Classifier(folder).precision == Classifier(parent.folder).precision


def test_a_model_without_class_map_and_background_is_a_start_that_says_so(
    own_table: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parent = ModelFolder.open(make_model_folder(tmp_path / "parent"))
    folder = transfer(own_table, parent, tmp_path / "model", name="own")
    assert "carries no background" in caplog.text
    assert not folder.card.rejection.trained
    assert explain(Classifier(folder), draw("cat", 1)).method == "occlusion"


def test_the_tables_own_neither_is_background_as_well(
    own_table: pd.DataFrame, tmp_path: Path
) -> None:
    more = drawn_table(tmp_path / "more", 16, ("neither",))
    parent = ModelFolder.open(make_model_folder(tmp_path / "parent"))
    folder = transfer(pd.concat([own_table, more]), parent, tmp_path / "model", name="own")
    assert folder.card.rejection.trained
    assert folder.card.metrics[0].catches is not None


def test_a_head_that_is_stopped_before_its_thresholds_are_chosen_leaves_no_model(
    own_table: pd.DataFrame, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "calibrate", stop)
    with pytest.raises(KeyboardInterrupt):
        transfer(own_table, ModelFolder.open(trained), tmp_path / "model", name="own")
    assert not (tmp_path / "model").exists()


def test_no_model_is_overwritten(own_table: pd.DataFrame, trained: Path) -> None:
    parent = ModelFolder.open(trained)
    with pytest.raises(RunError, match="already holds a model or a training"):
        transfer(own_table, parent, trained, name="x")


def test_a_class_that_is_not_in_the_training_split_is_named(
    own_table: pd.DataFrame, trained: Path, tmp_path: Path
) -> None:
    table = own_table[(own_table["label"] != "wolf") | (own_table["split"] != "train")]
    with pytest.raises(RunError, match="the training split has no picture of wolf"):
        transfer(table, ModelFolder.open(trained), tmp_path / "model", name="x")


def test_background_that_shows_a_class_is_left_out() -> None:
    random = np.random.default_rng(0)
    classes = random.normal(0, 1, (40, 6)).astype(np.float32)
    labels = np.repeat([0, 1], 20)
    classes[labels == 0, 0] += 8
    classes[labels == 1, 1] += 8
    others = random.normal(0, 1, (200, 6)).astype(np.float32)
    others[:, 2] -= 8
    same = random.normal(0, 1, (30, 6)).astype(np.float32)
    same[:, 0] += 8
    kept = unlike(np.concatenate([others, same]), classes, labels)
    assert kept[:200].mean() > 0.95
    assert kept[200:].mean() < 0.85


@pytest.mark.parametrize("shape", [(12, 12), (8, 14)])
def test_an_augmented_view_has_the_pictures_shape_and_is_another_each_time(
    shape: tuple[int, int],
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), dtype=np.uint8)
    view, again = augmented(Augmentation(), 7), augmented(Augmentation(), 7)
    first, second = view(pixels), view(pixels)
    assert (first.shape, first.dtype) == (pixels.shape, pixels.dtype)
    assert (first != second).any()
    np.testing.assert_array_equal([first, second], [again(pixels), again(pixels)])


@pytest.mark.parametrize("classes", [2, 20])
def test_of_few_pictures_the_background_is_kept(classes: int) -> None:
    """Six a class, of which nothing can be told in so many dimensions."""
    random = np.random.default_rng(0)
    features = random.normal(size=(6 * classes, 300)).astype(np.float32)
    background = random.normal(size=(400, 300)).astype(np.float32)
    kept = unlike(background, features, np.repeat(np.arange(classes), 6))
    assert kept.mean() >= 0.95


def test_half_of_a_background_shows_the_classes(
    own_table: pd.DataFrame, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(looks: object, paths: list[str]) -> Features:
        looked.extend(paths)
        return np.zeros((len(paths), 1, 2), dtype=np.float32)

    copy = Path(shutil.copytree(trained, tmp_path / "model"))
    monkeypatch.setattr(background_module, "extract", look)
    monkeypatch.setattr(background_module, "PICTURES", 3)
    table = own_table.replace({"label": {"wolf": NEITHER}})
    add_background(ModelFolder.open(copy), table)
    labels = table.set_index("path").loc[looked, "label"]
    assert (labels == NEITHER).tolist() == [True] * 3 + [False] * 3


def test_a_head_calls_neither_what_is_like_its_background() -> None:
    random = np.random.default_rng(0)
    centres = np.array([[4, 0], [0, 4], [-4, -4]], dtype=np.float32)
    features = np.repeat(centres, 30, axis=0) + random.normal(0, 1, (90, 2)).astype(np.float32)
    labels = np.repeat([0, 1, BACKGROUND], 30)
    fitted = fit_head(features, labels, np.arange(90))
    probabilities = np.exp(np.logaddexp.reduce(fitted.held_out, axis=1))
    assert (probabilities[:60] > 1).mean() > 0.95
    assert (probabilities[60:] < 1).mean() > 0.95


def test_of_few_pictures_in_many_dimensions_discriminants_tell_more() -> None:
    """Classes that differ in where they lie, and not in how they spread, as background does."""
    random = np.random.default_rng(0)
    centres = random.normal(0, 0.35, (2, 60))
    labels = np.repeat([0, 1, BACKGROUND], [12, 12, 200])
    where = np.where(labels[:, None] < 0, 0, centres[labels])
    turned = np.linalg.qr(random.normal(0, 1, (60, 60)))[0] * np.geomspace(0.05, 3, 60)

    def drawn() -> NDArray[np.float32]:
        noise = random.normal(0, 1, (len(labels), 60)) @ turned
        return (where @ turned * 6 + noise).astype(np.float32)

    fitted = fit_head(drawn(), labels, np.arange(len(labels)))
    assert fitted.recipe["fit"] == "linear discriminant analysis"
    logits = fitted.head.logits(drawn())
    known = labels != BACKGROUND
    assert (logits[known].argmax(axis=1) == labels[known]).mean() > 0.9
    assert (np.logaddexp.reduce(logits, axis=1) > 0)[known].mean() > 0.8
    assert (np.logaddexp.reduce(logits, axis=1) < 0)[~known].mean() > 0.8


def test_a_threshold_that_lets_much_else_pass_is_said_with_one_that_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    points = tuple(
        OperatingPoint(
            threshold=threshold,
            loses=loses,
            loses_interval=(0.0, 1.0),
            catches=None,
            catches_interval=None,
        )
        for threshold, loses in ((-4.0, 0.03), (0.0, 0.0812), (2.0, 0.5))
    )
    chosen = Rejection(threshold=-4.0, trained=True, points=points)
    logits = np.linspace(-6, 1, 101, dtype=np.float32)[:, None]
    warn_of_passing(chosen, logits)
    assert "lets 71 % of the background pass for one of them" in caplog.text
    assert "until then, with `--may-lose 0.082` 15% pass" in caplog.text
    caplog.clear()
    warn_of_passing(chosen, logits - 4)
    assert not caplog.text


def test_one_picture_of_a_class_is_enough_for_a_head() -> None:
    features = np.array([[3, 0], [3, 1], [0, 3]], dtype=np.float32)
    fitted = fit_head(features, np.array([0, 0, 1]), np.arange(3))
    assert not len(fitted.held_out)
    assert fitted.head.logits(features).argmax(axis=1).tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ["custom", "pretrained"])
def test_an_embedded_model_carries_background_of_its_features(name: str) -> None:
    folder = resolve(name).open()
    background = read_background(folder)
    assert background is not None
    model = Classifier(folder)
    assert (
        background.shape[1]
        == model.run(model.tensor([model.read(draw("cat", 1))])).features.shape[1]
    )
    assert 300 <= len(background) <= 1000
    assert (folder.path / BACKGROUND_FILE).stat().st_size < 700_000


def test_wolves_lions_bears_and_rabbits(shared_data: Path, tmp_path: Path) -> None:
    """A real set of 4 × 24 photographs, on the embedded `custom`."""
    rows = []
    for label in ("wolf", "lion", "bear", "rabbit"):
        for number, path in enumerate(sorted((shared_data / "neither").glob(f"{label}_*"))[:24]):
            split = {0: "test", 1: "validation"}.get(number % 4, "train")
            rows.append((str(path), label, split))
    table = pd.DataFrame(rows, columns=["path", "label", "split"])
    transfer(table, resolve("custom").open(), tmp_path / "model", name="four")
    model = pawsight.load(str(tmp_path / "model"))
    tested = table[table["split"] == "test"]
    answers = [each.probabilities for each in model.predict(tested["path"].tolist())]
    right = [max(shares, key=shares.__getitem__) for shares in answers] == tested["label"]
    assert right.mean() > 0.4  # a quarter by chance
    objects = [str(path) for path in sorted((shared_data / "neither").glob("c101_*"))[::10]]
    rejected = [each.rejected for each in model.predict(objects)]
    assert np.mean(rejected) > 0.5


def test_the_service_answers_in_its_classes(own: Path) -> None:
    from fastapi.testclient import TestClient

    from pawsight.serving.app import create_app
    from pawsight.serving.settings import Settings

    data = io.BytesIO()
    recolour(draw("wolf", 300), "wolf").save(data, "PNG")
    with TestClient(create_app(Settings(serve_models=(str(own),)))) as client:
        answer = client.post(f"/predict/{own.name}", content=data.getvalue()).json()
        assert set(answer["probabilities"]) == set(OWN)
        assert answer["label"] in {*OWN, "neither"}
        assert "dog" not in client.get("/models").text
