"""The whole circle: wrong answers in, feedback, a head that is refitted, better answers out."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ImageDraw
from starlette.testclient import TestClient

import pawsight
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import resolve
from pawsight.inference.errors import ModelError
from pawsight.inference.switch import back, switch
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from pawsight.training.against import RECIPE_KEY, AgainstBefore, measured_worse
from pawsight.training.correct import correct
from pawsight.training.folder import write_card
from pawsight.training.graft import read_head
from pawsight.training.head import Head
from pawsight.training.refit import Anchors, refit_head
from pawsight.training.run import RunError
from tests.command import run
from tests.drawn import draw, drawn_table
from tests.model_folders import make_model_folder

VIOLET = (120, 40, 200)  # cats of a kind that the model has not met


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of installed models."""
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "installed"))
    return tmp_path / "installed"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return drawn_table(tmp_path_factory.mktemp("table"), 40, ("cat", "dog", "neither"))


def violet_cat(seed: int) -> bytes:
    picture = draw("cat", seed)
    ImageDraw.Draw(picture).ellipse((6, 6, 62, 54), fill=VIOLET)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def client(trained: Path, tmp_path: Path) -> Iterator[TestClient]:
    wild = make_model_folder(tmp_path / "wild", labels=("lion", "wolf"))
    settings = Settings(
        serve_models=(str(trained), str(wild)), records=f"sqlite:///{tmp_path / 'records.db'}"
    )
    with TestClient(create_app(settings)) as client:
        yield client


def right(model: str, pictures: list[bytes]) -> int:
    answers = pawsight.load(model).predict(pictures)
    return sum(answer.label == "cat" for answer in answers)


def test_wrong_answers_in_better_answers_out(
    client: TestClient, trained: Path, table: pd.DataFrame, tmp_path: Path, installed: Path
) -> None:
    unseen = [violet_cat(seed) for seed in range(1000, 1040)]
    assert right(str(trained), unseen) < 20
    for seed in range(50):
        file = violet_cat(seed)
        answer = client.post("/predict/model", content=file).json()
        said = client.post(
            "/feedback", data={"id": answer["id"], "label": "cat"}, files={"file": file}
        )
        assert said.json()["picture"] is True
    # What it is to a model of other classes is another question.
    answer = client.post("/predict/wild", content=violet_cat(0)).json()
    client.post("/feedback", json={"id": answer["id"], "label": "neither"})
    table.to_csv(tmp_path / "table.csv", index=False)
    records = ("--records", f"sqlite:///{tmp_path / 'records.db'}")
    output = tmp_path / "corrected"
    labels = ("--labels", tmp_path / "table.csv")
    done = run(
        "train", "--from-feedback", "--start", trained, *labels, "--output", output, *records
    )
    assert done.exit_code == 0, done.output
    assert "of 50 corrections" in done.stdout
    assert f"no worse than {trained}, which stays: name {output} in its place" in done.stdout
    assert right(str(output), unseen) >= 36
    assert "of 30 test pictures" in done.stdout
    assert run("models", "switch", "model", output).exit_code == 0
    assert right("model", unseen) >= 36  # and by its name
    assert resolve("model").path == installed / "model"
    gone = run("models", "back", "model")
    assert gone.exit_code == 0
    assert "no model is called model any more" in gone.stdout
    assert "a service that runs knows of this, by the name model, from its next" in gone.stderr
    assert run("models", "back", "model").exit_code == 0
    assert right("model", unseen) >= 36


def test_what_was_known_is_not_forgotten_and_the_card_says_what_was_done(
    trained: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    rows = []
    for seed in range(12):
        file = tmp_path / f"{seed}.png"
        file.write_bytes(violet_cat(seed))
        rows.append((str(file), "cat"))
    corrections = pd.DataFrame(rows, columns=["path", "label"])
    start = ModelFolder.open(trained)
    done = correct(corrections, table, start, tmp_path / "new", name="new")
    assert done.corrections == 12
    assert done.right_now > done.right_before
    assert done.pictures == 30
    assert not done.worse
    card = ModelFolder.open(tmp_path / "new").card
    assert card.provenance.recipe["corrections"] == 12
    assert card.provenance.recipe[RECIPE_KEY]["fixed"] == done.fixed
    assert not measured_worse(card)
    assert card.provenance.started_from.startswith(f"drawn {start.version}")
    with pytest.raises(RunError, match="already holds a model"):
        correct(corrections, table, start, tmp_path / "new", name="new")


def test_a_model_that_was_measured_to_be_worse_is_not_offered(
    trained: Path, table: pd.DataFrame, tmp_path: Path, installed: Path
) -> None:
    """People who call every cat a dog, and every dog a cat."""
    other = {"cat": "dog", "dog": "cat"}
    rows = []
    for label in other:
        for seed in range(100, 160):
            file = tmp_path / f"{label}_{seed}.png"
            draw(label, seed).save(file)
            rows.append((str(file), other[label]))
    corrections = pd.DataFrame(rows, columns=["path", "label"])
    output = tmp_path / "worse"
    done = correct(corrections, table, ModelFolder.open(trained), output, name="worse")
    assert done.worse
    assert done.broken > done.fixed
    refused = run("models", "switch", "model", output)
    assert refused.exit_code == 2
    assert "was measured to be worse" in refused.stderr
    assert not installed.exists()
    assert run("models", "switch", "model", output, "--anyway").exit_code == 0


def test_a_table_of_other_classes_cannot_judge(
    trained: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "cat.png"
    file.write_bytes(violet_cat(0))
    corrections = pd.DataFrame([(str(file), "cat")], columns=["path", "label"])
    other = table.assign(label=table["label"].replace({"cat": "hund", "dog": "katze"}))
    output = tmp_path / "new"
    with pytest.raises(RunError, match="does not know: hund, katze; it knows cat, dog"):
        correct(corrections, other, ModelFolder.open(trained), output, name="new")
    assert not output.exists()


def test_a_name_that_people_ask_keeps_its_classes(trained: Path, installed: Path) -> None:
    assert run("models", "switch", "custom", trained).exit_code == 0
    card = ModelFolder.open(trained).card
    named = installed.parent / "named"
    renamed = {"cat": "hund", "dog": "katze"}
    shutil.copytree(trained, named)
    proofs = tuple(
        each.model_copy(update={"logits": {renamed[k]: v for k, v in each.logits.items()}})
        for each in card.golden
    )
    changed = {"labels": tuple(renamed[each] for each in card.labels), "golden": proofs}
    write_card(named, card.model_copy(update=changed))
    refused = run("models", "switch", "custom", named)
    assert refused.exit_code == 2
    assert "custom tells cat, dog apart" in refused.stderr
    assert run("models", "switch", "custom", named, "--anyway").exit_code == 0
    assert "auto tells cat, dog apart" in run("models", "switch", "auto", named).stderr


@pytest.mark.parametrize(
    ("fixed", "broken", "p_value", "worse"),
    [(0, 12, 0.0005, True), (12, 0, 0.0005, False), (3, 5, 0.7, False), (0, 0, 1.0, False)],
)
def test_worse_is_what_chance_does_not_explain(
    fixed: int, broken: int, p_value: float, worse: bool
) -> None:
    assert AgainstBefore(100, fixed, broken, p_value, 1, 0, 1).worse is worse


def test_nothing_to_learn_or_to_compare_with_is_said(
    trained: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    start = ModelFolder.open(trained)
    none = pd.DataFrame({"path": [], "label": []})
    with pytest.raises(RunError, match="nothing to learn"):
        correct(none, table, start, tmp_path / "new", name="new")
    file = tmp_path / "a.png"
    file.write_bytes(violet_cat(1))
    one = pd.DataFrame({"path": [str(file)], "label": ["cat"]})
    with pytest.raises(RunError, match="no test pictures"):
        correct(one, table[table["split"] != "test"], start, tmp_path / "new", name="new")
    done = run("train", "--from-feedback", "--output", tmp_path / "new")
    assert done.exit_code == 2
    assert "the model that --start names: the one whose answers people spoke of" in done.stderr
    assert "such as --start custom" in done.stderr
    done = run(  # before any picture is looked at
        "train", "--from-feedback", "--start", trained, "--output", tmp_path / "new",
        "--labels", tmp_path / "none.csv", "--records", f"sqlite:///{tmp_path / 'none.db'}",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "nothing is recorded in" in done.stderr


def test_the_head_of_an_exported_network_is_the_one_it_answers_with(trained: Path) -> None:
    model = pawsight.load(str(trained)).members[0]
    pixels = np.random.default_rng(0).normal(size=(3, 3, 48, 48)).astype(np.float32)
    seen = model.run(pixels)
    head = read_head(trained / "model.onnx")
    assert head.logits(seen.features) == pytest.approx(seen.logits, abs=1e-4)


def test_a_head_moves_where_corrections_lie_and_nowhere_else() -> None:
    random = np.random.default_rng(0)
    old = Head(np.array([[4, 0, 0], [-4, 0, 0]], np.float32), np.zeros(2, np.float32))
    anchors = (random.normal(size=(400, 3)) * [1, 1, 0.05]).astype(np.float32)
    views = (random.normal(size=(40, 1, 3)) * 0.1 + [1, 0, 3]).astype(np.float32)
    labels = np.ones(40, np.int64)  # where the old head says 0
    fitted = refit_head(
        old,
        views.astype(np.float32),
        labels,
        np.arange(40),
        Anchors(anchors.astype(np.float32), with_background=False),
    )
    assert (fitted.head.logits(views[:, 0]).argmax(1) == 1).mean() > 0.9
    assert (fitted.held_out.argmax(1) == 1).mean() > 0.9
    same = fitted.head.logits(anchors).argmax(1) == old.logits(anchors).argmax(1)
    assert same.mean() > 0.97


def test_the_way_back_leads_to_the_model_before(
    trained: Path, model_copy: Path, installed: Path
) -> None:
    first = switch("mine", trained)
    switch("mine", model_copy)
    assert (installed / ".previous" / "mine" / "model.json").is_file()
    assert back("mine") == installed / "mine"
    assert ModelFolder.open(installed / "mine").version == first.version
    assert [each.name for each in installed.iterdir() if not each.name.startswith(".")] == ["mine"]
    with pytest.raises(ModelError, match="nothing was switched"):
        back("other")
