from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.running import Running, running


@pytest.fixture(scope="package", autouse=True)
def nothing_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither embedded nor installed models: a test has those that it makes."""
    empty = tmp_path_factory.mktemp("no-models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pawsight.inference.catalog._EMBEDDED", empty)
        patch.setenv("PAWSIGHT_MODELS", str(empty))
        yield


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="package")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model_folder(tmp_path_factory.mktemp("models") / "second")


@pytest.fixture(scope="package")
def settings(tiny: Path, second: Path) -> Settings:
    return Settings(
        serve_models=(str(tiny), str(second)),
        max_bytes=200_000,
        max_files=8,
        max_batch_bytes=1_000_000,
    )


@pytest.fixture(scope="package")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Running]:
    with running(create_app(settings)) as server:
        yield server
