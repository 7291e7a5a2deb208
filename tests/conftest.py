"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# Tests run side by side share the processors: threads of torch would wait for each other's.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's data folder, where services record their answers: one of the tests' own."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.delenv("PAWSIGHT_RECORDS", raising=False)
        yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures, which is not part of the repository."""
    places = [REPOSITORY.parent / "shared" / "data"]
    if "PAWSIGHT_DATA" in os.environ:
        places.insert(0, Path(os.environ["PAWSIGHT_DATA"]))
    for place in places:
        if place.is_dir():
            return place
    pytest.skip("no real pictures: neither $PAWSIGHT_DATA nor ../shared/data is a folder")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that was really trained, on drawn pictures. Do not change it."""
    from pawsight.training.train import train
    from tests.drawn import drawn_table
    from tests.training.recipes import TINY

    home = tmp_path_factory.mktemp("trained")
    table = drawn_table(home / "pictures", 40, ("cat", "dog", "neither"))
    train(table, TINY, home / "model", name="drawn")
    return home / "model"


@pytest.fixture
def model_copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained folder that a test may break."""
    copy = tmp_path / "model"
    shutil.copytree(trained, copy, ignore=shutil.ignore_patterns("training"))
    return copy
