"""Heads and bodies that leave together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pawsight.serving.one_write import OneWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Line(asyncio.Transport):
    """Keeps what is written, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.written.append(b"(closed)")

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.written.append(b"(paused)")

    def resume_reading(self) -> None:
        self.written.append(b"(resumed)")


def both(answer: OneWrite) -> None:
    answer.write(HEAD)
    answer.write(b"body")


def closed(answer: OneWrite) -> None:
    answer.write(HEAD)
    answer.close()


def in_parts(answer: OneWrite) -> None:
    both(answer)
    answer.write(b"more")


def two(answer: OneWrite) -> None:
    both(answer)
    both(answer)


@pytest.mark.parametrize(
    ("does", "written"),
    [
        (both, [HEAD + b"body"]),
        (closed, [HEAD, b"(closed)"]),
        (in_parts, [HEAD + b"body", b"more"]),
        (two, [HEAD + b"body", HEAD + b"body"]),
    ],
)
def test_a_head_waits_for_its_body(does: Callable[[OneWrite], None], written: list[bytes]) -> None:
    line = Line()

    async def main() -> None:
        does(OneWrite(line, asyncio.get_running_loop()))
        assert line.written == written

    asyncio.run(main())


def test_a_head_whose_body_comes_later_goes_alone() -> None:
    line = Line()

    async def main() -> None:
        answer = OneWrite(line, asyncio.get_running_loop())
        answer.write(HEAD)
        assert line.written == []
        await asyncio.sleep(0)
        assert line.written == [HEAD]
        answer.write(b"body")
        assert line.written == [HEAD, b"body"]

    asyncio.run(main())
