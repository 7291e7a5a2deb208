"""What lies on a reviewer's desk: the pictures to look at, fetched many at a time.

The service goes through its whole record for them: too slow to be waited for at every key.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pawsight.ui.service import ReviewItem, Service

MOST_DECIDED: Final = 5000
"""Answers of which something was said that the page knows."""
_AT_ONCE: Final = 200
_MOST_ASKED: Final = 1000  # that the service lists


class Desk:
    """Pictures to look at, until none is left.

    Args:
        asked: Where they come from.
        skipped: How many are to be had besides those that are looked at.
        model: Only what it and models of the same labels answered; None: all.

    Attributes:
        model: As it was given.
        waiting: Those that nothing was said of, as far as is known here; those first whose right
            answer teaches most.
        more: Whether the service may have more of them.
        decided: The digests of those of which something was said.
    """

    def __init__(self, asked: Service, skipped: int, model: str | None = None) -> None:
        self._asked = asked
        self.model = model
        most = min(_AT_ONCE + skipped, _MOST_ASKED)
        self.waiting = asked.to_review(most, model)
        self.more = len(self.waiting) == most
        self.decided = {each.digest for each in asked.decided(MOST_DECIDED)}

    def first(self, skipped: Collection[str]) -> ReviewItem | None:
        """The first to look at; those that somebody else decided meanwhile are put away.

        Args:
            skipped: The digests of those that are left out, as those are whose picture is not kept.
        """
        for each in list(self.waiting):
            if digest_of(each) in skipped or not each.answers[0].picture:
                continue
            if not self._asked.decided(1, digest_of(each)):
                return each
            self.put_away(each)
        return None

    def put_away(self, item: ReviewItem) -> None:
        """Something was said of a picture."""
        digest = digest_of(item)
        self.waiting = [each for each in self.waiting if digest_of(each) != digest]
        self.decided.add(digest)


def digest_of(item: ReviewItem) -> str:
    """Of its picture, which all its answers are about."""
    return item.answers[0].digest
