"""Pulling from a hub, with all that can go wrong between it and here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pawsight
from pawsight.inference.artifact import ModelFolder
from tests.hub import Hub, serving_hub
from tests.model_folders import make_model_folder
from tests.onnx_checkpoints import make_onnx_checkpoint
from tests.pictures import picture
from tests.pulling import pull

NAME = "someone/cats-and-dogs"
WEIGHTS = "onnx/model.onnx"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    with serving_hub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 64)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        hub.put(NAME, make_onnx_checkpoint(tmp_path / "offered"))
        yield hub


def red_is_a_cat() -> bool:
    return pawsight.load("pretrained").predict(picture("red")).label == "cat"


def test_the_first_pull_brings_the_model_and_names_the_commit(hub: Hub, home: Path) -> None:
    code, output = pull("pretrained", "--from", NAME)
    assert code == 0, output
    assert red_is_a_cat()
    card = ModelFolder.open(home / "pretrained").card
    assert card.provenance.started_from == f"{NAME} at {hub.commit(NAME)}"
    assert hub.downloads(WEIGHTS) == [None]


def test_the_second_pull_is_served_from_the_cache(hub: Hub, home: Path) -> None:
    assert pull("pretrained", "--from", NAME)[0] == 0
    assert pull("another", "--from", NAME, "--revision", hub.commit(NAME))[0] == 0
    assert pull("pretrained", "--from", NAME)[0] == 0
    for file in (WEIGHTS, "config.json", "preprocessor_config.json"):
        assert hub.downloads(file) == [None]


def test_without_onnx_the_safetensors_are_exported_and_nothing_else_is_fetched(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    from tests.models.test_huggingface import make_checkpoint

    folder = make_checkpoint(tmp_path / "torch")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    hub.put("someone/torch", folder)
    code, output = pull("pretrained", "--from", "someone/torch")
    assert code == 0, output
    assert hub.downloads("model.safetensors") == [None]
    assert hub.downloads("pytorch_model.bin") == []


def test_where_there_is_onnx_the_safetensors_stay_on_the_hub(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "offered" / "model.safetensors").write_bytes(b"large")
    hub.put(NAME, tmp_path / "offered")
    assert pull("pretrained", "--from", NAME)[0] == 0
    assert hub.downloads("model.safetensors") == []


def test_a_connection_that_breaks_is_resumed_where_it_broke(hub: Hub, home: Path) -> None:
    hub.cuts[WEIGHTS] = [128]
    code, output = pull("pretrained", "--from", NAME)
    if code:  # huggingface_hub 1 resumes at the next pull, huggingface_hub 2 in the same one
        assert "Pull again" in output
        code, output = pull("pretrained", "--from", NAME)
    assert code == 0, output
    assert hub.downloads(WEIGHTS) == [None, "bytes=128-"]
    assert red_is_a_cat()


def test_a_pull_that_broke_off_leaves_the_older_model_and_can_be_pulled_again(
    hub: Hub, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pull("pretrained", "--from", make_model_folder(tmp_path / "older"))[0] == 0
    monkeypatch.setattr(time, "sleep", lambda _: None)
    hub.cuts[WEIGHTS] = [100] + [0] * 20
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert f"the download of '{NAME}' broke off" in output
    assert "Pull again" in output
    assert ModelFolder.open(home / "pretrained").card.name == "tiny"
    hub.cuts.clear()
    assert pull("pretrained", "--from", NAME)[0] == 0
    assert hub.downloads("config.json") == [None]
    assert red_is_a_cat()


def test_a_download_that_ends_early_is_refused(hub: Hub, home: Path) -> None:
    hub.spoils[WEIGHTS] = lambda data: data[:-10]
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert "broke off" in output
    assert not (home / "pretrained").exists()


def test_a_download_of_the_right_size_and_other_bytes_is_refused_and_forgotten(
    hub: Hub, home: Path
) -> None:
    hub.spoils[WEIGHTS] = lambda data: data[:-40] + bytes(40)
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert f"{WEIGHTS} is not what the hub says it is" in output
    hub.spoils.clear()
    assert pull("pretrained", "--from", NAME)[0] == 0
    assert red_is_a_cat()


def test_weights_that_were_uploaded_cut_off_are_refused(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    network = tmp_path / "offered" / WEIGHTS
    network.write_bytes(network.read_bytes()[:-10])
    hub.put(NAME, tmp_path / "offered")
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert "model.onnx is no ONNX file, or cut off" in output


def test_a_checkpoint_that_cannot_be_used_is_refused_before_its_weights_are_fetched(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    hub.put(NAME, make_onnx_checkpoint(tmp_path / "foxes", ("wolf", "fox")))
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert "its classes are: wolf, fox" in output
    assert hub.downloads(WEIGHTS) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((NAME, "--revision", "v9"), f"'{NAME}' has no revision 'v9'"),
        (("someone/nothing",), "neither a folder 'someone/nothing' nor a repository"),
        (("a name with blanks",), "neither a folder nor the name of a repository"),
        (("../outside",), "there is no folder '../outside'"),
        (("/no/such/folder",), "there is no folder '/no/such/folder'"),
        (("one/two/three",), "there is no folder 'one/two/three'"),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    hub: Hub, home: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, output = pull("pretrained", "--from", *arguments)
    assert code == 2
    assert words in output
    assert list(home.iterdir()) == []


def test_a_repository_without_configuration_is_refused(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "offered" / "config.json").unlink()
    hub.put(NAME, tmp_path / "offered")
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert f"'{NAME}' is no image-classification checkpoint: it has no config.json" in output


def test_a_repository_with_pickled_weights_only_is_refused_with_the_way_out(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "offered" / WEIGHTS).rename(tmp_path / "offered" / "pytorch_model.bin")
    hub.put(NAME, tmp_path / "offered")
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert f"'{NAME}' has no *.safetensors" in output
    assert ".save_pretrained(FOLDER)" in output
    assert hub.downloads("pytorch_model.bin") == []


def test_a_private_repository_is_pulled_with_the_token(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_secret"
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert "set HF_TOKEN" in output
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert pull("pretrained", "--from", NAME)[0] == 0
    _, _, headers = hub.asked[-1]
    assert headers["authorization"] == "Bearer hf_secret"


def unplug(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    nowhere = "http://127.0.0.1:9"  # no one listens on the discard port
    monkeypatch.setattr(constants, "ENDPOINT", nowhere)
    template = nowhere + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_without_a_network_there_is_a_way_out_and_other_models_keep_answering(
    hub: Hub, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pull("pretrained", "--from", make_model_folder(tmp_path / "older"))[0] == 0
    unplug(monkeypatch)
    code, output = pull("pretrained", "--from", NAME)
    assert code == 2
    assert f"the hub cannot be reached for '{NAME}'" in output
    assert "--from FOLDER" in output
    assert ModelFolder.open(home / "pretrained").card.name == "tiny"
    example = Path(__file__).parents[2] / "examples" / "cat.jpg"
    assert pawsight.load("custom").predict(example).label == "cat"


def test_without_a_network_what_was_pulled_before_is_taken_from_the_cache(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pull("pretrained", "--from", NAME)[0] == 0
    unplug(monkeypatch)
    code, output = pull("again", "--from", NAME)
    assert code == 0, output


def test_a_checkpoint_with_an_onnx_file_is_pulled_without_torch(
    hub: Hub, home: Path, tmp_path: Path
) -> None:
    program = (
        "import sys\n"
        "blocked = ('torch', 'transformers', 'lightning', 'pandas', 'sklearn')\n"
        "sys.modules.update(dict.fromkeys(blocked))\n"  # importing them fails
        "from pawsight.cli import app\n"
        f"app(['models', 'pull', '--from', '{NAME}'], standalone_mode=False)\n"
        "import pawsight\n"
        "pawsight.load('pretrained')\n"
        "assert not any(sys.modules[name] for name in blocked)\n"
    )
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub-home")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert red_is_a_cat()


@pytest.mark.parametrize(
    ("missing", "source", "words"),
    [
        (
            "huggingface_hub",
            NAME,
            "the hub needs huggingface_hub and onnx, which the extra 'hub' brings",
        ),
        ("torch", "someone/torch", "a checkpoint that has no ONNX file must be exported"),
    ],
)
def test_a_missing_extra_is_named(
    hub: Hub,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    source: str,
    words: str,
) -> None:
    (tmp_path / "offered" / WEIGHTS).rename(tmp_path / "offered" / "model.safetensors")
    hub.put("someone/torch", tmp_path / "offered")
    monkeypatch.setattr("pawsight.extras.find_spec", lambda name: None if name == missing else name)
    code, output = pull("pretrained", "--from", source)
    assert code == 2
    assert words in output
    assert hub.downloads("model.safetensors") == []
