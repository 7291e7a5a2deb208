"""An answer's head and its body in one packet."""

from __future__ import annotations

import asyncio


class OneWrite(asyncio.Transport):
    """A transport that holds the head of an answer until its body follows.

    Uvicorn writes them one after the other: two calls of the system, each of which wakes the
    client. Where no body follows in the same turn of the event loop, the head goes alone.

    Args:
        transport: Of a connection.
        loop: The event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._head = b""
        # Nothing is to be added to them, and a call less is a call less.
        self.abort = transport.abort  # type: ignore[method-assign]
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign]
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, or hold what ends as a head does."""
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data[-4:] == b"\r\n\r\n":
            self._head = bytes(data)
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
