"""Small documents on disk, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pawsight.whole import written_whole


class Document(BaseModel):
    """What is known of something, as JSON in a file."""

    model_config = ConfigDict(frozen=True)

    def write(self, file: Path) -> None:
        """Put it into a file, in place of what was there.

        Raises:
            OSError: It cannot be written; what was there still is.
        """
        with written_whole(file) as stream:
            stream.write(self.model_dump_json(indent=2).encode())


AnyDocument = TypeVar("AnyDocument", bound=Document)


def read(file: Path, form: type[AnyDocument]) -> AnyDocument | None:
    """What a file says; None where there is none that can be read."""
    try:
        return form.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def read_all(home: Path, name: str, form: type[AnyDocument]) -> list[AnyDocument]:
    """The documents of a name in the folders of a folder, in no order."""
    found = (read(file, form) for file in home.glob(f"[!.]*/{name}"))
    return [each for each in found if each is not None]
