"""``train``, ``evaluate``, ``export`` and ``models``, as one would use them one after the other."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pawsight
from pawsight.cli import output_folder
from pawsight.cli.common import model_name
from pawsight.images.errors import DamagedImage
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.errors import ModelError
from pawsight.training import fit, transfer, trial
from tests.command import run
from tests.drawn import drawn_table
from tests.training.recipes import TINY

RECIPE = f"""
name = "tiny"
epochs = 6
batch_size = {TINY.batch_size}
image_size = 48
cache_size = 48
learning_rate = 5e-3
precision = "32-true"
[network]
widths = [8, 16, 16]
residuals = [1, 0, 1]
stem_width = 8
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with ``labels.csv``, ``images/`` and ``tiny.toml``."""
    table = drawn_table(tmp_path / "images", per_class=24)
    table["path"] = [Path(path).name for path in table["path"]]
    table.rename(columns={"path": "image_name"})[["image_name", "label"]].to_csv(
        tmp_path / "labels.csv", index=False
    )
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


def options(data: Path) -> list[str | Path]:
    return ["--labels", data / "labels.csv", "--images", data / "images"]


def test_from_a_table_to_an_answer(data: Path) -> None:
    model = data / "model"
    done = run("train", *options(data), "--output", model, "--recipe", data / "tiny.toml")
    assert done.exit_code == 0, done.output
    assert "48 of 48 pictures can be used" in done.stdout
    assert "; the test pictures by the numbers in their names (--test-every)" in done.stdout
    assert "test split of its training table:" in done.stdout

    done = run("evaluate", *options(data), "--model", model, "--json", data / "figures.json")
    assert done.exit_code == 0, done.output
    figures = json.loads((data / "figures.json").read_text())["models"][0]
    card = ModelFolder.open(model).card
    measured = next(each for each in card.metrics if each.data.startswith("test"))
    assert figures["pictures"] == measured.pictures  # the same split as in training
    assert figures["accuracy"] == measured.accuracy

    trained_on = len(ModelFolder.open(model).path.joinpath("seen.bin").read_bytes()) // 32
    assert f"{trained_on} pictures are left out: model was trained on them" in done.stdout
    everything = ("--split", "all", "--keep-seen", "--may-lose", "0")
    done = run("evaluate", *options(data), "--model", model, *everything)
    assert done.exit_code == 0
    assert "48 pictures" in done.stdout
    assert "loses     0.00% to neither" in done.stdout
    assert run("evaluate", *options(data), "--model", model, "--record", "a|b").exit_code == 0
    assert ModelFolder.open(model).card.metrics[-1].data == "a|b"

    done = run("models", "verify", model)
    assert "golden pictures answered as they were in training" in done.stdout
    assert r"| a\|b |" in run("models", "show", model).stdout

    done = run("export", model, "--output", data / "again", "--name", "again")
    assert done.exit_code == 0, done.output
    before = json.loads((model / "model.json").read_text())
    after = json.loads((data / "again" / "model.json").read_text())
    assert after["temperature"] == before["temperature"]
    assert after["golden"] == before["golden"]

    done = run("train", *options(data), "--output", model, "--recipe", data / "tiny.toml")
    assert done.exit_code == 2
    assert "already holds a training" in done.stderr


@pytest.mark.parametrize(
    ("given", "folder", "expected"),
    [(None, "My Cats (2)", "my-cats-2"), (None, "...", "model"), ("mine", "x", "mine")],
)
def test_a_model_has_a_name_that_can_be_asked_for(
    given: str | None, folder: str, expected: str, tmp_path: Path
) -> None:
    assert model_name(given, tmp_path / folder) == expected


def test_a_killed_training_is_resumed(data: Path) -> None:
    model = data / "model"
    command: list[str | Path] = [
        "train", *options(data), "--output", model, "--recipe", data / "tiny.toml",
        "--epochs", "400", "--checkpoint-every", "3",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", "from pawsight.cli import main; main()", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    last = model / "training" / "checkpoints" / "last.ckpt"
    while not last.exists() and process.poll() is None:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    recipe = model / "training" / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"epochs": 400', '"epochs": 7'))
    command[command.index("400")] = "7"
    done = run(*command, "--resume")
    assert done.exit_code == 0, done.output
    assert run("models", "verify", model).exit_code == 0


def test_a_training_logs_what_pawsight_says_and_no_library(data: Path) -> None:
    command: list[str | Path] = [
        "train", *options(data), "--output", data / "model", "--recipe", data / "tiny.toml",
        "--epochs", "1",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from pawsight.cli import main; main()", *map(str, command)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    logged = [line for line in done.stderr.splitlines() if line]
    pawsight = re.compile(r"\d{4}-\d\d-\d\d \S+ pawsight\.")
    assert any("pawsight.training.callbacks: epoch 1 of 1: " in line for line in logged)
    assert [line for line in logged if not pawsight.match(line)] == []


def test_every_row_that_is_not_used_is_named(data: Path) -> None:
    with (data / "labels.csv").open("a") as table:
        table.writelines(f"missing_{number}.png,cat\n" for number in range(9))
    done = run(
        "train", *options(data), "--output", data / "model", "--recipe", data / "tiny.toml",
        "--debug", "batch", "--left-out", data / "left-out.csv",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert all(f"missing_{number}.png" in done.stdout for number in range(9))
    rows = list(csv.DictReader((data / "left-out.csv").open()))
    assert [row["path"] for row in rows] == [f"missing_{number}.png" for number in range(9)]
    assert {row["code"] for row in rows} == {"missing-file"}


def test_a_debug_run_needs_no_folder_and_leaves_nothing_behind(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = data / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    command = ("train", *options(data), "--recipe", data / "tiny.toml")
    done = run(*command, "--debug", "batch")
    assert done.exit_code == 0, done.output
    assert "nothing was kept" in done.stdout
    done = run(*command, "--debug", "table")
    assert done.exit_code == 0, done.output
    assert "it can be trained on" in done.stdout
    assert "to train" in done.stderr + done.stdout
    assert list(here.iterdir()) == []
    done = run(*command)
    assert done.exit_code == 2
    assert "name the folder that becomes a model folder: --output" in done.stderr


def test_what_was_seen_in_training_is_found(data: Path, trained: Path) -> None:
    pictures = trained.parent / "pictures"
    (data / "images" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = run("seen", pictures, data / "images", "--model", trained, "--output", data / "seen.csv")
    assert done.exit_code == 1  # one could not be read
    assert "damaged.png" in done.stderr
    rows = {Path(row["path"]): row for row in csv.DictReader((data / "seen.csv").open())}
    assert rows[pictures / "dog_2.png"]["seen"] == "True"  # of the training split
    assert rows[pictures / "dog_2.png"]["distance"] == "0"
    assert rows[pictures / "dog_0.png"]["seen"] == "False"  # of the test split
    found = sum(row["seen"] == "True" for row in rows.values())
    assert f"{found} of {len(rows)} pictures were in the training of {trained}" in done.stdout
    done = run("seen", pictures, "--model", trained, "--output", data / "seen.csv")
    assert done.exit_code == 2
    assert "is there already" in done.stderr


def test_a_report_of_two_models_is_written(data: Path, trained: Path) -> None:
    done = run(
        "evaluate", *options(data), "--split", "all", "--model", trained, "--model", "custom",
        "--html", data / "report.html",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    page = (data / "report.html").read_text()
    assert "<h1>model, custom</h1>" in page
    assert "McNemar" in page
    done = run("evaluate", *options(data), "--model", "custom", "--html", data / "no" / "x.html")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr


def test_labels_that_are_numbers_go_the_whole_way(data: Path) -> None:
    table = (data / "labels.csv").read_text().replace(",cat", ",0").replace(",dog", ",1")
    (data / "labels.csv").write_text(table)
    command = ["train", *options(data), "--output", data / "m", "--recipe", data / "tiny.toml"]
    done = run(*command, "--epochs", "1")
    assert done.exit_code == 0, done.output
    assert ModelFolder.open(data / "m").card.labels == ("0", "1")
    assert run(*command, "--epochs", "1", "--resume").exit_code == 0


def test_a_card_that_cannot_be_written_is_said_before_any_picture_is_asked_about(
    data: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(output_folder, "TemporaryFile", locked)
    done = run("evaluate", "--labels", data / "no.csv", "--model", trained, "--record", "x")
    assert done.exit_code == 2
    assert f"cannot write the folder '{trained}': permission denied" in done.stderr


def test_a_rare_class_counts_when_measuring(data: Path) -> None:
    rows = (data / "labels.csv").read_text().splitlines()
    dogs = [row for row in rows if row.endswith(",dog")]
    few = "\n".join([rows[0], *dogs, next(row for row in rows if row.endswith(",cat"))])
    (data / "labels.csv").write_text(few)
    done = run("evaluate", *options(data), "--model", "custom")
    assert f"custom on {data / 'labels.csv'}, all: {len(dogs) + 1} pictures" in done.stdout
    assert "cat       →" in done.stdout


def test_a_table_of_neither_alone_is_measured(data: Path) -> None:
    drawn_table(data / "more", 8, ("neither",)).to_csv(data / "labels.csv", index=False)
    done = run("evaluate", *options(data), "--split", "all", "--model", "custom")
    assert done.exit_code == 0, done.output
    assert "catches" in done.stdout
    assert "accuracy" not in done.stdout


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (("--model", "custom", "--model", "custom"), "two of the models are called 'custom'"),
        (("--record", "x", "--keep-seen"), "--record takes no --keep-seen"),
        (("--record", "x", "--may-lose", "0.1"), "--record takes no --keep-seen, no --may-lose"),
        (("--html", "HERE"), "it is a folder"),
        (("--json", "LABELS"), "is the table of labels"),
    ],
)
def test_what_would_be_wrong_in_the_end_is_refused_at_once(
    data: Path, extra: tuple[str, ...], words: str
) -> None:
    places = {"HERE": data, "LABELS": data / "labels.csv"}
    before = (data / "labels.csv").read_text()
    done = run("evaluate", *options(data), *(places.get(each, each) for each in extra))
    assert done.exit_code == 2
    assert words in done.stderr
    assert (data / "labels.csv").read_text() == before


@pytest.mark.parametrize(
    "command",
    [("audit", "--output"), ("audit", "--html"), ("train", "--output", "m", "--left-out")],
)
def test_a_table_of_labels_is_not_written_over(data: Path, command: tuple[str, ...]) -> None:
    before = (data / "labels.csv").read_text()
    done = run(*command, data / "labels.csv", *options(data))
    assert done.exit_code == 2
    assert "is the table of labels: name another file" in done.stderr
    assert (data / "labels.csv").read_text() == before


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "--json"),
        ("evaluate", "--html"),
        ("audit", "--output"),
        ("audit", "--html"),
        ("train", "--output", "m", "--left-out"),
    ],
)
def test_what_is_no_report_is_not_written_over(data: Path, command: tuple[str, ...]) -> None:
    picture = next((data / "images").iterdir())
    before = picture.read_bytes()
    done = run(*command, picture, *options(data))
    assert done.exit_code == 2
    assert "is there already, and was not written by this command" in done.stderr
    assert picture.read_bytes() == before


def test_reports_are_written_anew(data: Path) -> None:
    files = (data / "report.html", data / "figures.json")
    command = ("evaluate", *options(data), "--html", files[0], "--json", files[1])
    for _ in range(2):
        done = run(*command, "--split", "all", "--model", "custom")
        assert done.exit_code == 0, done.output


def test_a_model_is_named_so_that_a_shell_and_the_catalogue_find_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    for folder, named in (("custom", "./custom"), ("my model", "'./my model'")):
        done = run("train", *options(data), "--start", "custom", "--output", folder)
        assert done.exit_code == 0, done.output
        assert f"`pawsight classify PICTURE --model {named}` asks it" in done.stdout


def test_an_export_before_the_first_epoch_is_done_says_so(data: Path, trained: Path) -> None:
    shutil.copytree(trained / "training", data / "run")
    (data / "run" / "checkpoints" / "best.ckpt").unlink()
    done = run("export", data / "run", "--output", data / "m")
    assert done.exit_code == 2
    assert "no weights yet" in done.stderr


def test_an_export_and_a_cascade_leave_other_things_alone(data: Path, trained: Path) -> None:
    (data / "mine").mkdir()
    (data / "mine" / "README.md").write_text("mine")
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("export", trained / "training"),
        ("cascade", "--labels", data / "no.csv"),
    )
    for command in commands:
        done = run(*command, "--output", data / "mine")
        assert done.exit_code == 2
        assert "holds other things, such as 'README.md'" in done.stderr
    assert (data / "mine" / "README.md").read_text() == "mine"
    # Beside the training itself, and over an earlier export, there may be some.
    shutil.copytree(trained / "training", data / "begun" / "training")
    (data / "begun" / "log.txt").write_text("mine")
    for _ in range(2):
        done = run("export", data / "begun" / "training", "--output", data / "begun")
        assert done.exit_code == 0, done.stderr


def test_what_an_export_cannot_read_or_write_is_said(data: Path, trained: Path) -> None:
    (data / "taken").write_text("a file")
    done = run("export", trained / "training", "--output", data / "taken")
    assert done.exit_code == 2
    assert f"cannot write the folder '{data / 'taken'}': it is a file" in done.stderr
    done = run("export", trained / "training", "--output", "/proc/model")
    assert done.exit_code == 2
    assert "cannot write the folder '/proc/model': no such file or directory" in done.stderr
    shutil.copytree(trained / "training", data / "run")
    table = (data / "run" / "table.csv").read_text()
    (data / "run" / "table.csv").write_text(table.replace("cat_2.png", "cat_gone.png"))
    done = run("export", data / "run", "--output", data / "m")
    assert done.exit_code == 2
    assert "cat_gone.png': no such file or directory" in done.stderr


def test_validation_needs_a_picture_of_a_class(data: Path) -> None:
    table = drawn_table(data / "more", 8, ("cat", "dog", "neither"))
    table = table[(table["split"] != "validation") | (table["label"] == "neither")]
    table.to_csv(data / "labels.csv", index=False)
    done = run("train", *options(data), "--output", data / "m", "--recipe", data / "tiny.toml")
    assert done.exit_code == 2
    assert "the validation split has no picture of a class" in done.stderr


def test_a_name_that_is_not_utf8_is_named_and_left_out(data: Path) -> None:
    strange = os.fsdecode(b"cat_caf\xe9.png")
    shutil.copy(next((data / "images").glob("cat_*.png")), data / "images" / strange)
    done = run("evaluate", "--images", data / "images", "--model", "custom")
    assert done.exit_code == 0, done.output
    assert "cat_caf?.png" in done.stderr
    done = run("seen", data / "images", "--output", data / "seen.csv")
    assert done.exit_code == 0, done.output
    assert "cat_caf?.png" in (data / "seen.csv").read_text()


def test_a_threshold_that_nobody_can_promise_is_refused(data: Path) -> None:
    done = run("classify", data / "images", "--may-lose", "0.00001")
    assert done.exit_code == 2
    assert "no threshold is known to lose at most 1e-05" in done.stderr


def test_a_part_that_is_none_is_refused_in_words() -> None:
    for name in ("custom", "auto"):
        with pytest.raises(ModelError, match="a number from 0 to 1, not 3"):
            pawsight.load(name, may_lose=3)


def test_folders_may_stand_for_labels(data: Path) -> None:
    done = run("evaluate", "--images", data / "images", "--split", "all", "--model", "custom")
    assert done.exit_code == 0, done.output
    assert "48 pictures" in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--labels": "missing.csv"}, "there is no table 'missing.csv'"),
        ({"--images": "missing"}, "missing is not a folder"),
        ({"--name": "My Model"}, "'My Model' is no name for a model"),
        ({"--recipe": "best"}, "no recipe 'best': shipped are"),
        ({"--label-column": "species"}, "species"),
        ({"--classes": "cat,bird"}, "of 'bird' no picture can be used"),
        ({"--classes": "cat"}, "two classes or more"),
        ({"--classes": "cat", "--debug": "batch"}, "two classes or more"),
    ],
)
def test_what_cannot_be_trained_is_said(data: Path, change: dict[str, str], words: str) -> None:
    given = {
        "--labels": str(data / "labels.csv"),
        "--images": str(data / "images"),
        "--output": str(data / "model"),
        "--recipe": str(data / "tiny.toml"),
    } | change
    done = run("train", *(part for pair in given.items() for part in pair))
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert not (data / "model").exists()


@pytest.mark.parametrize(
    ("given", "taken", "words"),
    [
        (["--start", "auto"], None, "a cascade"),
        (["--start", "auto", "--from-feedback"], None, "a cascade"),
        (["--start", "custom", "--from-feedback"], "model.json", "already holds a model"),
        (
            ["--start", "custom"],
            "training/checkpoints/best.ckpt",
            "already holds a model or a training",
        ),
        ([], "training/checkpoints/last.ckpt", "--resume"),
        ([], "cascade.json", "already holds a model"),
        (["--resume"], "model.json", "already holds a model"),
        (["--recipe", "simple-cnn", "--start", "nothing"], None, "nothing to start from in"),
        (["--left-out", "nowhere/left-out.csv"], None, "there is no folder 'nowhere'"),
        (["--start", "custom"], "cascade.json", "already holds a model"),
        (
            ["--start", "custom", "--recipe", "simple-cnn", "--debug", "learning-rate"],
            None,
            "--debug begins where the recipe does, and takes no --start",
        ),
    ],
)
def test_what_would_be_refused_in_the_end_is_refused_before_any_picture_is_looked_at(
    data: Path, given: list[str], taken: str | None, words: str
) -> None:
    model = data / "model"
    if taken:
        (model / taken).parent.mkdir(parents=True)
        (model / taken).write_text("{}")
    done = run("train", *options(data), *given, "--output", model)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "pictures can be used" not in done.stdout


@pytest.mark.parametrize("command", ["train", "tune"])
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("labels.csv", "it is a file"),
        ("labels.csv/deep/below", "/labels.csv' is a file"),
        ("/proc/model", "no such file or directory"),
        pytest.param(
            "locked/model", "permission denied",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere"),
        ),
    ],
)  # fmt: skip
def test_where_no_folder_can_be_is_said_before_any_picture_is_looked_at(
    data: Path, command: str, place: str, words: str
) -> None:
    (data / "locked").mkdir(mode=0o500)
    done = run(command, "--labels", data / "no.csv", "--output", data / place)
    assert done.exit_code == 2
    assert f"cannot write the folder '{data / place}': " in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    ("command", "there", "words"),
    [
        (["train"], "notes.txt", "holds other things, such as 'notes.txt'"),
        (["train", "--resume"], "notes.txt", "holds other things, such as 'notes.txt'"),
        (["train", "--start", "custom"], "notes.txt", "holds other things, such as 'notes.txt'"),
        (["tune"], "notes.txt", "holds other things, such as 'notes.txt'"),
        (["tune"], "model.json", "already holds a model"),
        (["tune"], "training/recipe.json", "holds other things, such as 'training'"),
    ],
)
def test_a_folder_of_other_things_is_left_alone(
    data: Path, command: list[str], there: str, words: str
) -> None:
    (data / "taken" / there).parent.mkdir(parents=True)
    (data / "taken" / there).write_text("mine")
    done = run(*command, "--labels", data / "no.csv", "--output", data / "taken")
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize("there", ["training/table.csv", ".DS_Store", "model.onnx", "none.csv"])
def test_what_an_earlier_training_left_is_no_other_thing(data: Path, there: str) -> None:
    (data / "begun" / there).parent.mkdir(parents=True)
    (data / "begun" / there).write_text("")
    done = run(
        "train", "--labels", data / "no.csv", "--output", data / "begun",
        "--left-out", data / "begun" / "none.csv",
    )  # fmt: skip
    assert "there is no table" in done.stderr
    assert (data / "begun" / there).exists()


@pytest.mark.parametrize("command", [["train"], ["train", "--start", "custom"], ["tune"]])
def test_a_refusal_leaves_no_folder_behind(
    data: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a picture that breaks once the folder is begun."""

    def breaks(*_: object, **__: object) -> None:
        raise DamagedImage("cat_0.png: damaged")

    monkeypatch.setattr(fit, "fit", breaks)
    monkeypatch.setattr(transfer, "calibrate", breaks)
    monkeypatch.setattr(trial, "_fit", breaks)
    (data / "space.toml").write_text("[learning_rate]\nlow = 1e-3\nhigh = 1e-2\n")
    files: list[str | Path] = [] if "--start" in command else ["--recipe", data / "tiny.toml"]
    files += ["--space", data / "space.toml"] if "tune" in command else []
    done = run(*command, *files, *options(data), "--output", data / "new" / "model")
    assert done.exit_code == 2, done.output
    assert "cat_0.png: damaged" in done.stderr
    assert not (data / "new").exists()


def test_a_csv_without_the_needed_columns_names_those_it_has(data: Path) -> None:
    (data / "labels.csv").write_text("a,b,c\n1,2,3\n")
    done = run("train", *options(data), "--output", data / "model")
    assert done.exit_code == 2
    assert "the columns are 'a', 'b', 'c'" in done.stderr
    assert "--path-column" in done.stderr


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"]])
def test_models_are_listed_with_source_size_and_accuracy(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 0
    auto, custom, pretrained = done.stdout.splitlines()[1:]
    assert re.match(r" auto +embedded .* cascade of custom and pretrained .* MB .*%", auto)
    assert re.match(r" custom +embedded .* MB .*%.*test", custom)
    assert re.match(r" pretrained +embedded .* MB .*%.*test", pretrained)


def test_a_new_head_from_the_command_line(
    data: Path, trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = run("train", *options(data), "--start", trained, "--output", data / "own")
    assert done.exit_code == 0, done.output
    assert "test split of its training table:" in done.stdout
    assert re.search(r"fitted on \d\d pictures only, .* no more than that 9\d %", caplog.text)
    done = run("classify", data / "images", "--model", data / "own", "--format", "csv")
    assert done.exit_code == 0, done.output
    assert run("models", "verify", data / "own").exit_code == 0
    pictures = trained.parent / "pictures"  # of which the head has met none
    before = f"drawn {ModelFolder.open(trained).version}"
    done = run("evaluate", "--images", pictures, "--model", data / "own", "--classes", "cat,dog")
    assert done.exit_code == 0, done.output
    assert f"left out: own, or {before} whose network it has, was trained on them" in done.stdout
    done = run("seen", pictures / "dog_2.png", "--model", data / "own")
    assert f"in the training of {data / 'own'}, or of {before} whose network" in done.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--start", "nothing"], "no model 'nothing': there are"),
        (["--start", "custom", "--epochs", "3"], "takes no --epochs"),
        (["--start", "custom", "--resume"], "takes no --resume"),
        (["--classes", "cat,dog,tiger"], "of 'tiger' no picture can be used"),
        (
            ["--start", "custom", "--recipe", "simple-cnn"],
            "holds a network of another architecture",
        ),
    ],
)
def test_what_cannot_be_started_from_is_said(data: Path, given: list[str], words: str) -> None:
    done = run("train", *options(data), "--output", data / "own", *given)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (data / "own").exists()


def test_a_training_that_is_no_model_yet_is_no_start_for_a_head(data: Path, trained: Path) -> None:
    shutil.copytree(trained / "training", data / "begun" / "training")
    done = run("train", *options(data), "--output", data / "own", "--start", data / "begun")
    assert done.exit_code == 2
    assert "`pawsight export` makes one of it" in done.stderr
