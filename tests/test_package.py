from __future__ import annotations

import subprocess
import sys

import pytest

import pawsight


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


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
        "import pawsight.bulk.records, pawsight.bulk.sinks, pawsight.bulk.sources",
    ],
)
def test_classifying_and_serving_need_no_torch_and_no_pandas(code: str) -> None:
    assert not modules_after(code) & (HEAVY - {"fastapi"})


def test_the_public_api_is_small() -> None:
    assert sorted(pawsight.__all__) == ["Classifier", "Model", "Prediction", "load"]
    for name in pawsight.__all__:
        assert getattr(pawsight, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        pawsight.laod  # noqa: B018
