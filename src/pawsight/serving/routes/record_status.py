"""How the record is doing, as `/health/ready` says it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from pawsight.records.recorder import Recorder


class RecordStatus(BaseModel):
    """Whether answers are recorded."""

    status: Literal["off", "starting", "written", "not-written"] = Field(
        description="`not-written`: pictures are answered all the same, and the record is tried "
        "again every second."
    )
    reason: str | None = Field(default=None, description="What is wrong, if something is.")
    waiting: int = Field(default=0, description="Answers that are still to be written.")
    lost: int = Field(default=0, description="Answers since the start that never will be.")

    @classmethod
    def of(cls, recorder: Recorder | None) -> RecordStatus:
        """What is told of a record; None is off."""
        if recorder is None:
            return cls(status="off")
        now = recorder.status
        return cls(status=now.state, reason=now.reason, waiting=now.waiting, lost=now.lost)
