"""Clients that go away, and clients that are slow: what uvicorn leaves to us."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, TypeVar, cast

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pawsight.serving.errors import Problem
from pawsight.serving.http_parser import HttpParser
from pawsight.serving.ids import new_id
from pawsight.serving.meter import Meter
from pawsight.serving.one_write import OneWrite
from pawsight.serving.overload import Overload
from pawsight.serving.raw import header_lines, problem_head
from pawsight.serving.watch import REQUEST_ID, request_id, tell

_MAX_HEADER: Final = 64 * 1024  # bytes; they are held until the header is complete

Result = TypeVar("Result")


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Await what a client waits for, and cancel it as soon as the client has gone.

    When this ends, so has the work: what it used may be taken away.

    Args:
        request: Whose body was read; nothing but the end of the connection can follow.
        work: Leads to the answer.

    Raises:
        ClientDisconnect: The client has gone.
    """
    answer = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        return answer.result()
    finally:
        gone.cancel()
        if not answer.done():
            answer.cancel()
            await asyncio.wait((answer,))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _NothingMore(Exception):
    """Ends the parser: the rest of a connection is not read."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with bounds on a header's time and size.

    Uvicorn has none: a connection that sends a byte now and then is kept for ever, and a header
    without end is kept in memory. And what is no HTTP is answered in our form, once what came
    before it is answered.

    Attributes:
        header_seconds: What a connection has for a header, from when it was made or, after an
            answer, from the first byte on. What is left of a refused request's body has as long.
        overload: Refuses requests before the application is asked; None leaves it to that.
        meter: Is told of what is no request that the application could be asked.
    """

    header_seconds = 10.0
    overload: Overload | None = None
    meter: Meter | None = None
    parser: HttpParser  # type: ignore[assignment]
    _deadline: asyncio.TimerHandle | None = None
    _since = 0.0  # when a header was expected, by perf_counter
    _in_header = False
    _in_body = False
    _received = 0  # bytes of this header
    _came = False  # a header did, in the bytes that just came
    _ended = False  # and another message did
    _refused = False  # this request was, and its body is thrown away
    _last = False  # and no other may follow it
    _held: tuple[str, str] | None = None  # what is refused after the answer that is due before it

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - as uvicorn asks
        super().__init__(*args, **settings)
        self.parser = HttpParser(self, self._header_without_upgrade)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a header."""
        super().connection_made(OneWrite(transport, self.loop))
        self._since = perf_counter()
        self._expect_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it makes a header too long."""
        if self._held:
            return
        header_is_due = not self._deadline and not self._answer_is_due()
        if header_is_due:
            self._since = perf_counter()
        self._came = self._ended = False
        super().data_received(data)
        if self._in_header and not self._ended:
            self._received += len(data)
            if self._received > _MAX_HEADER:
                self._refuse_header()
        # Most requests come whole, and need no timer.
        if (
            (header_is_due and not self._came)
            or (self._in_header and not self._answer_is_due())
            or (self._refused and self._in_body)
        ):
            self._expect_rest()

    def on_message_begin(self) -> None:
        """Count the bytes of a header."""
        self._in_header, self._in_body, self._received, self._refused = True, False, 0, False
        if self._came:
            self._since = perf_counter()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, whose body has a limit of its own; or refuse it."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse("method-not-allowed", "CONNECT is for proxies, and this is none")
            raise _NothingMore
        if self.parser.offers_upgrade():
            return  # it comes once more
        self._came, self._in_header = True, False
        self._expect_nothing()
        if _size(self.url, self.headers) > _MAX_HEADER:
            self._refuse_header()
            raise _NothingMore
        if not self._refuses():
            super().on_headers_complete()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, unless its request is refused."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect another request, if this one was answered before its body had come."""
        if self.parser.offers_upgrade():
            return
        self._ended, self._in_body = True, False
        if not self._refused:
            super().on_message_complete()
            if not self.cycle.response_complete:
                return
        self._expect_nothing()
        if self._refused and self._last:
            self.transport.close()
        elif not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Go on with what came behind a request that has just been answered."""
        another_waits = bool(self.pipeline)
        super().on_response_complete()
        if another_waits or self.transport.is_closing():
            return
        held, self._held = self._held, None
        if held:
            self._refuse(*held)
        elif self._in_header and not self._deadline:
            self._unset_keepalive_if_required()
            self._since = perf_counter()
            self._expect_rest()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse("invalid-http", f"this is no HTTP that can be read: {msg}")

    def _refuses(self) -> bool:
        """Whether it has just answered that there is no room for this request.

        Not while others before it are unanswered, or while the client does not read; nor one that
        sends its body only if it is asked to, of which it is not known then whether it will come.
        """
        overload = self.overload
        if (
            overload is None
            or self._answer_is_due()
            or not overload.refuses(self.parser.get_method(), self.url, self.headers)
            or self.flow.write_paused
            or self.expect_100_continue
        ):
            return False
        scope = cast(Scope, self.scope)
        scope["method"] = "POST"
        scope["raw_path"] = self.url.partition(b"?")[0]
        http_1_0 = self.parser.get_http_version() == "1.0"
        self._refused, self._last = True, http_1_0 or not self.parser.should_keep_alive()
        self.transport.write(
            overload.refusal(scope, self.server_state.default_headers, last=self._last)
        )
        self._since = perf_counter()
        return True

    def _answer_is_due(self) -> bool:
        """Whether the application has not yet answered all that it was asked."""
        return self.cycle is not None and not self.cycle.response_complete

    def _others_are_due(self) -> bool:
        """Whether the application has not yet answered what came before the present request.

        That one will not be asked any more.
        """
        if not self._in_body:
            return self._answer_is_due()
        if self.pipeline and self.pipeline[0][0] is self.cycle:  # the latest
            self.pipeline.popleft()
            return True
        return False

    def _header_without_upgrade(self) -> bytes:
        http = self.parser.get_http_version().encode()
        headers = header_lines(each for each in self.headers if each[0] != b"upgrade")
        return b"%s %s HTTP/%s\r\n%s\r\n" % (self.parser.get_method(), self.url, http, headers)

    def _expect_rest(self) -> None:
        """Give what is still to come of a header, or of a refused body, its time."""
        if not self._deadline and not self.transport.is_closing():
            left = self._since + self.header_seconds - perf_counter()
            self._deadline = self.loop.call_later(left, self._too_late)

    def _expect_nothing(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self._in_header:
            self._refuse("too-slow", f"the header took more than {self.header_seconds:g} seconds")
        else:
            self.transport.close()

    def _refuse_header(self) -> None:
        self._refuse("header-too-large", f"the header has more than {_MAX_HEADER // 1024} kB")

    def _refuse(self, code: str, detail: str) -> None:
        self._in_header = False
        self._expect_nothing()
        if self._held or self.transport.is_closing():
            return
        if self._in_body and (self._refused or self.cycle.response_complete):
            self.transport.close()  # its request has its answer, and nothing can follow
            return
        if self._others_are_due():
            self._held = code, detail
            return
        # What came may be half an address, or none: nothing of it is logged.
        scope: dict[str, Any] = {"type": "http", "client": self.client}
        method, name = "other", new_id()
        if self._in_body:  # of a request that the application works on, which is told and counted
            scope, method = dict(self.scope), self.scope["method"]  # here, and not there as well
            name = request_id(scope)
            self.scope["state"].update(gone=True, told=True)
        scope["state"] = {"request_id": name}
        problem = Problem.of(code, detail)
        problem.request_id = name
        body = problem.model_dump_json().encode()
        headers = (
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (REQUEST_ID.lower().encode(), name.encode()),
        )
        head = problem_head(HTTPStatus(problem.status), headers)
        self.transport.write(head + b"\r\n" + body)
        self.transport.close()
        if self.meter is not None:
            self.meter.refused(code)
        tell(self.meter, scope, method, problem.status, perf_counter() - self._since)


def _size(url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """The bytes of a header, but for its first line's method and version."""
    return len(url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)
