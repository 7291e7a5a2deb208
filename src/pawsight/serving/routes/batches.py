"""Many pictures in one request."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from itertools import islice

from starlette.datastructures import UploadFile

from pawsight.images.errors import ImageError
from pawsight.inference.model import Model
from pawsight.serving.batching import BATCH
from pawsight.serving.errors import problem_of
from pawsight.serving.routes.schemas import Answer, BatchAnswer, BatchRecord
from pawsight.serving.state import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """The pictures of one request.

    Attributes:
        service: Answers.
        model: Is asked.
        files: The pictures as they were sent.
    """

    service: State
    model: Model
    files: Sequence[UploadFile]

    async def answer(self) -> BatchAnswer:
        """All records at once.

        Raises:
            Exception: The model failed, which is no picture's fault.
        """
        async with aclosing(self._records()) as records:
            return BatchAnswer(records=[await each async for each in records])

    async def lines(self, files: AsyncExitStack) -> AsyncIterator[str]:
        """A line of JSON for each record, in their order, as soon as it is known.

        Args:
            files: Closed at the end.
        """
        async with files, aclosing(self._records()) as records:
            number = 0
            async for each in records:
                try:
                    record = await each
                except Exception as error:  # the status has been sent, and the other records
                    log.exception("a picture of a batch")
                    record = BatchRecord(file=_name(self.files[number]), problem=problem_of(error))
                number += 1
                yield record.model_dump_json() + "\n"

    async def _records(self) -> AsyncGenerator[asyncio.Future[BatchRecord], None]:
        """The records in their order; a few pictures are asked about ahead of what is taken.

        So a long batch does not fill the queue that others wait in.
        """
        to_come = iter(self.files)
        ahead: deque[asyncio.Future[BatchRecord]] = deque()
        try:
            while True:
                ahead += [
                    asyncio.ensure_future(self._record(each))
                    for each in islice(to_come, 2 * BATCH - len(ahead))
                ]
                if not ahead:
                    return
                yield ahead[0]
                ahead.popleft()
        finally:
            for each in ahead:
                each.cancel()
            # They read the files, which are closed next.
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _record(self, file: UploadFile) -> BatchRecord:
        record = BatchRecord(file=_name(file))
        try:
            data = await file.read(self.service.settings.max_bytes + 1)
            answered = await self.service.classify(self.model, data)
            record.prediction = Answer.of(answered.prediction, answered.id)
        except ImageError as error:
            record.problem = problem_of(error)
        return record


async def joined(lines: AsyncIterator[str]) -> str:
    """All lines, once the last is known."""
    return "".join([each async for each in lines])


def _name(file: UploadFile) -> str:
    return (file.filename or "")[:255]
