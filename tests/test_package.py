from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pawsight
from tests.command import run


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_nobody_is_told_what_is_run(tmp_path: Path) -> None:
    """ONNX Runtime and OpenVINO keep an id of the machine in its home where they report."""
    quiet = {"CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY"}  # where it would not anyway
    environment = {name: each for name, each in os.environ.items() if name not in quiet}
    code = (
        "import os, pawsight; pawsight.load('custom'); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**environment, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.stdout.strip() == "1"
    ours = tmp_path / "cache" / "pawsight"  # networks that were compiled
    found = [each for each in tmp_path.rglob("*") if ours not in each.parents]
    assert set(found) <= {ours, ours.parent}


HEAVY = {"torch", "pandas", "fastapi", "lightning", "transformers", "sklearn", "streamlit"}
HEAVY |= {"sqlalchemy", "alembic"}


def test_importing_the_package_costs_nothing() -> None:
    loaded = modules_after("import pawsight")
    assert not loaded & (HEAVY | {"numpy", "onnxruntime", "PIL", "pydantic"})


def test_the_command_line_loads_nothing_that_help_does_not_need() -> None:
    loaded = modules_after("import pawsight.cli")
    assert not loaded & (HEAVY | {"numpy", "onnxruntime", "PIL", "pydantic"})


@pytest.mark.parametrize(
    "code",
    [
        "import pawsight; pawsight.load()",
        "import pawsight.serving.app",
        "import pawsight.bulk.rows, pawsight.bulk.sinks, pawsight.bulk.sources",
    ],
)
def test_classifying_and_serving_need_no_torch_and_no_pandas(code: str) -> None:
    assert not modules_after(code) & (HEAVY - {"fastapi"})


def test_a_new_head_needs_neither_lightning_nor_transformers() -> None:
    loaded = modules_after("import pawsight.training.transfer, pawsight.training.correct")
    assert "torch" in loaded
    assert not loaded & {"lightning", "transformers", "torch._dynamo"}


def test_the_public_api_is_small() -> None:
    assert sorted(pawsight.__all__) == ["Classifier", "Model", "Prediction", "load"]
    for name in pawsight.__all__:
        assert getattr(pawsight, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        pawsight.laod  # noqa: B018


def test_the_version_is_said() -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"pawsight {pawsight.__version__}\n")


def test_a_character_that_the_terminal_does_not_know_stops_nothing(tmp_path: Path) -> None:
    for name in ("日本.jpg", "ü.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    done = subprocess.run(
        [sys.executable, "-m", "pawsight", "classify", "--model", "custom", str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert [r"\xfc.jpg" in done.stdout, r"\u65e5\u672c.jpg" in done.stdout] == [True, True]


def test_a_client_without_its_extra_is_said() -> None:
    code = "import sys; sys.modules['httpx'] = None; import pawsight.client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pawsight.client needs httpx, which the extra 'client' brings" in done.stderr
