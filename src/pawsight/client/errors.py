"""What can go wrong between a client and the service."""

from __future__ import annotations

from pawsight.client.forms import Problem


class ClientError(Exception):
    """The service did not answer as asked."""


class Unreachable(ClientError):
    """Nothing answers at the address."""


class TooSlow(ClientError):
    """The answer did not come in time."""


class NoService(ClientError):
    """What answers is not a pawsight service, or not one of this version.

    Attributes:
        status: Of its answer.
    """

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"what answers at {url} is not a pawsight service, or not one of this version "
            f"(status {status})"
        )
        self.status = status


class Refused(ClientError):
    """The service said no.

    Attributes:
        problem: What it said: ``problem.code`` for programs, ``problem.detail`` for people.
        retry_after: In how many seconds to ask again; None where that would not help.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after = retry_after
