"""Cards on disk: JSON of a strict form, with a seal that shows every change."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pawsight.inference.errors import BrokenModel
from pawsight.invalid import in_words

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]
AnyCard = TypeVar("AnyCard", bound="Sealed")


class Strict(BaseModel):
    """Knows its fields, takes no others, and does not change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )


class Sealed(Strict):
    """A card.

    Attributes:
        seal: SHA-256 of all the rest of the card.
    """

    seal: Digest | None = None

    def sealed(self: AnyCard) -> AnyCard:
        """The same card with the seal that fits it."""
        content = self.model_dump(mode="json", exclude={"seal"})
        return self.model_copy(update={"seal": _fitting_seal(content)})


def read_sealed(file: Path, form: type[AnyCard]) -> AnyCard:
    """Read a card.

    Raises:
        BrokenModel: There is none, it does not follow the form, or it was changed since it was
            sealed.
    """
    folder = file.parent.name
    try:
        text = file.read_bytes()
    except OSError as error:
        raise BrokenModel(
            f"no model in folder {folder!r}: it has no readable {file.name} "
            "(`pawsight train` and `pawsight export` make model folders)"
        ) from error
    try:
        card = form.model_validate_json(text)
    except ValidationError as error:
        raise BrokenModel(f"model folder {folder!r}: {file.name}: {in_words(error)}") from error
    # Over what stands in the file: a form that has grown since knows more fields.
    content = json.loads(text)
    if content.pop("seal", None) != _fitting_seal(content):
        raise BrokenModel(
            f"model folder {folder!r}: {file.name} was changed since it was written; make the "
            "folder again or restore the file"
        )
    return card


def _fitting_seal(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
