"""The whole way, with nothing standing in: pictures go in, and a model answers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.routes.training_schemas import EPOCHS, JobForm
from pawsight.serving.settings import Settings
from pawsight.training.recipe import load_recipe
from tests.serving.test_training import REPOSITORY, Bench
from tests.zips import drawn_files, zipped


def test_a_head_on_custom_tells_drawn_things_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "installed"))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "src"))
    custom = str(files("pawsight") / "weights" / "custom")
    settings = Settings(
        serve_models=(custom,), training=True, training_dir=tmp_path / "training", records="off"
    )
    drawn = {
        name.replace("cat", "red").replace("dog", "blue"): data
        for name, data in drawn_files(24).items()
    }
    new = {name: data for name, data in drawn_files(26).items() if name[4:-4] in ("24", "25")}
    with TestClient(create_app(settings)) as client:
        bench = Bench(client, tmp_path)
        found = bench.dataset(zipped(drawn))
        assert found["labels"] == {"blue": 24, "red": 24}
        job = bench.submit(found["id"], name="colours", method="head", epochs=None)
        assert (job["start"], job["epochs"], job["epoch"]) == ("custom", None, None)
        ended = bench.until_ended(job["id"])
        assert (ended["state"], ended["message"]) == ("done", "trained, and it answers")
        assert ended["result"]["accuracy"] == 1.0
        assert bench.names() == ["custom", "colours"]
        shares = [
            client.post("/predict/colours", content=data).json()["probabilities"]
            for data in new.values()
        ]
        likeliest = [max(each, key=each.__getitem__) for each in shares]
        assert likeliest == ["red", "red", "blue", "blue"]


def test_a_whole_network_is_trained_for_as_long_as_the_recipe_says() -> None:
    assert load_recipe("simple-cnn").epochs == EPOCHS
    described = JobForm.model_json_schema()["properties"]["epochs"]["description"]
    assert described.endswith(f" {EPOCHS}.")
