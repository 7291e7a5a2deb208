"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
