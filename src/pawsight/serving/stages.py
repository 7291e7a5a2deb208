"""What a request's pictures went through, for who traces it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

StageName: TypeAlias = Literal["wait", "decode", "infer"]


@dataclass(frozen=True)
class Stage:
    """A stretch of a picture's way.

    Attributes:
        name: ``wait`` for a thread or a network, ``decode`` (and preprocess), or ``infer``.
        start: In seconds of :func:`time.perf_counter`.
        end: The same.
        network: That was run; None in other stages.
    """

    name: StageName
    start: float
    end: float
    network: str | None = None


STAGES: Final[ContextVar[list[Stage] | None]] = ContextVar("pawsight_stages", default=None)
"""Gathers the stages of the request that is answered now; None where nobody asks for them."""
